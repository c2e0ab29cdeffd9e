//! Whether an agent starts for the first time since its machine did (wire-protocol 10.5,
//! `cold_start`).

use std::{fs, path::Path};

/// Where Linux tells one boot from another.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Compares the boot that `mark` names with this one, and notes this one. Without either it is no
/// first start, as the official agent takes it. Blocks.
pub(super) fn is_first_start(mark: &Path) -> bool {
    let Ok(boot) = fs::read_to_string(BOOT_ID) else {
        return false;
    };
    let is_first = fs::read_to_string(mark).ok().as_ref() != Some(&boot);
    is_first && fs::write(mark, &boot).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_has_one_first_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let mark = folder.path().join("boot");

        assert!(is_first_start(&mark));
        assert!(!is_first_start(&mark));
        fs::write(&mark, "another boot").expect("written");
        assert!(is_first_start(&mark));
    }

    #[test]
    fn what_cannot_be_noted_is_no_first_start() {
        assert!(!is_first_start(Path::new("/no/such/folder/boot")));
    }
}
