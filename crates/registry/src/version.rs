//! From which version on an agent has the session manager.

use crate::OsType;

type Version = [u32; 4];

/// The last versions *without* it: the page says "later than" (limits-and-semantics R3).
const LAST_WITHOUT_LINUX: Version = [2, 2, 3, 256];
const LAST_WITHOUT_WINDOWS: Version = [2, 1, 3, 256];

/// Whether an agent of that version has the session manager: strictly later than 2.2.3.256, on
/// Windows than 2.1.3.256, compared number by number. A text that is no version has not.
#[must_use]
pub fn supports_session_manager(os: OsType, version: &str) -> bool {
    parse(version).is_some_and(|version| version > last_without(os))
}

/// The last version without the session manager, in words.
pub(crate) fn last_version_without(os: OsType) -> String {
    last_without(os).map(|number| number.to_string()).join(".")
}

const fn last_without(os: OsType) -> Version {
    match os {
        OsType::Windows => LAST_WITHOUT_WINDOWS,
        OsType::Linux | OsType::FreeBsd => LAST_WITHOUT_LINUX,
    }
}

fn parse(text: &str) -> Option<Version> {
    let mut numbers = text.trim().split('.').map(|part| part.parse().ok());
    let version = [
        numbers.next()??,
        numbers.next()??,
        numbers.next()??,
        numbers.next()??,
    ];
    numbers.next().is_none().then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_version_itself_is_too_old() {
        assert!(!supports_session_manager(OsType::Linux, "2.2.3.256"));
        assert!(supports_session_manager(OsType::Linux, "2.2.3.257"));
        assert!(!supports_session_manager(OsType::Windows, "2.1.3.256"));
        assert!(supports_session_manager(OsType::Windows, "2.1.3.257"));
    }

    #[test]
    fn versions_are_compared_as_numbers_not_as_text() {
        assert!(supports_session_manager(OsType::Linux, "2.2.10.1"));
        assert!(supports_session_manager(OsType::Linux, "10.0.0.0"));
        assert!(!supports_session_manager(OsType::Linux, "2.2.3.99"));
        assert!(!supports_session_manager(OsType::Linux, "1.9.9.999"));
    }

    #[test]
    fn what_is_no_version_has_no_session_manager() {
        for text in [
            "",
            "2.2.4",
            "2.2.4.1.0",
            "2.2.x.9",
            "-1.2.3.4",
            "99999999999.0.0.0",
        ] {
            assert!(!supports_session_manager(OsType::Linux, text), "{text}");
        }
    }
}
