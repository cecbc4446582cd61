# cmake --install: the programs, the layers' shared libraries in a folder of their own, the manual,
# completions and licence. Headers are not installed: no layer's interface is promised yet.
include(GNUInstallDirs)
set(TRUSS_INSTALL_LIBDIR ${CMAKE_INSTALL_LIBDIR}/truss)
file(RELATIVE_PATH truss_libs_from_bin /${CMAKE_INSTALL_BINDIR} /${TRUSS_INSTALL_LIBDIR})

# Every shared library of the house, by the folders they were made in.
function(truss_shared_libraries out folder)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  get_property(below DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  set(found)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "SHARED_LIBRARY" AND NOT target MATCHES "testing")
      list(APPEND found ${target})
    endif()
  endforeach()
  foreach(sub IN LISTS below)
    truss_shared_libraries(more ${sub})
    list(APPEND found ${more})
  endforeach()
  set(${out} ${found} PARENT_SCOPE)
endfunction()

set(installed ${TRUSS_LIBS})
foreach(lib IN LISTS installed)
  if(EXISTS ${CMAKE_SOURCE_DIR}/libs/${lib}/CMakeLists.txt)
    truss_shared_libraries(libraries ${CMAKE_SOURCE_DIR}/libs/${lib})
    if(libraries)
      set_target_properties(${libraries} PROPERTIES INSTALL_RPATH "$ORIGIN")
      install(TARGETS ${libraries} LIBRARY DESTINATION ${TRUSS_INSTALL_LIBDIR})
    endif()
  endif()
endforeach()

foreach(command IN LISTS TRUSS_COMMANDS)
  if(TARGET ${command})
    set_target_properties(${command} PROPERTIES INSTALL_RPATH "$ORIGIN/${truss_libs_from_bin}")
    install(TARGETS ${command} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    install(FILES docs/man/${command}.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
    install(FILES docs/completion/${command}.bash RENAME ${command}
      DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
    install(FILES docs/completion/_${command}
      DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
    install(FILES docs/completion/${command}.fish
      DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
  endif()
endforeach()
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
