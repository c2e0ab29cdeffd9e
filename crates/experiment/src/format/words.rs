//! The scenario's words for states and systems, as the relay and the admin API have them.

use axt_control::admin;
use axt_sandbox as sandbox;

use super::{OsType, Status};

macro_rules! same_words {
    ($($from:ident => $to:path { $($word:ident)* })*) => {
        $(impl From<$from> for $to {
            fn from(word: $from) -> Self {
                match word {
                    $($from::$word => Self::$word,)*
                }
            }
        })*
    };
}

same_words! {
    Status => sandbox::InstanceStatus { Pending Starting Running Stopping Stopped }
    Status => admin::InstanceStatus { Pending Starting Running Stopping Stopped }
    OsType => sandbox::OsType { Linux Windows FreeBsd }
    OsType => admin::OsType { Linux Windows FreeBsd }
}
