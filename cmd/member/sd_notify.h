#pragma once

namespace truss::member {

/// Tells systemd, if it asked (`NOTIFY_SOCKET`), that the member serves clients.
void notify_ready();

}  // namespace truss::member
