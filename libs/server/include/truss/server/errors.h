#pragma once

#include "truss/common/error.h"

/// The errors a client of etcd may see, with the exact texts that clients match on and the codes
/// that go on the wire. Source: api/v3rpc/rpctypes/error.go.
namespace truss::server::errors {

Error compacted();                  ///< OutOfRange
Error future_revision();            ///< OutOfRange
Error no_space();                   ///< ResourceExhausted
Error corrupt();                    ///< DataLoss
Error too_many_requests();          ///< Unknown on the wire, as etcd's own mapping has it
Error request_too_large();          ///< InvalidArgument
Error key_not_found();              ///< InvalidArgument
Error lease_not_found();            ///< NotFound
Error lease_exists();               ///< FailedPrecondition
Error lease_ttl_too_large();        ///< OutOfRange
Error no_leader();                  ///< Unavailable
Error disk_dead();                  ///< Unavailable; ours, etcd has none
Error not_leader();                 ///< FailedPrecondition
Error leader_changed();             ///< Unavailable
Error stopped();                    ///< Unavailable
Error timeout();                    ///< Unavailable
Error timeout_leader_fail();        ///< Unavailable
Error timeout_connection_lost();    ///< Unavailable
Error timeout_wait_applied();       ///< Unavailable
Error unhealthy();                  ///< Unavailable
Error member_exists();              ///< FailedPrecondition
Error peer_url_exists();            ///< FailedPrecondition
Error member_not_enough_started();  ///< Unknown on the wire, as etcd's own mapping has it
Error member_bad_urls();            ///< InvalidArgument
Error member_not_found();           ///< NotFound
Error member_not_learner();         ///< FailedPrecondition
Error learner_not_ready();          ///< FailedPrecondition
Error too_many_learners();          ///< FailedPrecondition
Error bad_leader_transferee();      ///< FailedPrecondition
Error downgrade_version_format();   ///< InvalidArgument
Error downgrade_target();           ///< InvalidArgument
Error downgrade_no_version();       ///< FailedPrecondition
Error downgrade_in_process();       ///< FailedPrecondition
Error no_downgrade();               ///< FailedPrecondition
Error not_capable();                ///< FailedPrecondition
Error not_supported_for_learner();  ///< FailedPrecondition

}  // namespace truss::server::errors
