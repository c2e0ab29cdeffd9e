//! The resource limits of another user's shell, as a login sets them: `/etc/security/limits.conf` and
//! the files of `limits.d` behind it, read as pam_limits reads them (limits.conf(5)).
//!
//! A shell of the agent's own account has the agent's limits. What counts logins (`maxlogins` and its
//! kin) and what is no limit (`chroot`, `nonewprivs`) is left out. A limit that this agent may not
//! raise, as in a container, is raised as far as it may: a login there would be refused.

use std::{fs, path::PathBuf};

use rustix::process::{Resource, Rlimit, getrlimit, setpriority_process, setrlimit};

const FILE: &str = "/etc/security/limits.conf";
const FOLDER: &str = "/etc/security/limits.d";

/// Whose limits are looked for.
pub(super) struct Whose<'a> {
    pub(super) name: &'a str,
    pub(super) uid: u32,
    /// Whether the user is in the group of this name.
    pub(super) is_in: &'a dyn Fn(&str) -> bool,
    /// The group ids that the user has.
    pub(super) gids: &'a [u32],
}

/// Sets the limits of a user for this process and what it becomes. Must be called as root.
pub(super) fn set(whose: &Whose<'_>) {
    let texts: Vec<String> = files()
        .into_iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .collect();
    for found in read(texts.iter().map(String::as_str), whose) {
        found.set();
    }
}

/// The files in their order.
fn files() -> Vec<PathBuf> {
    let mut behind: Vec<PathBuf> = fs::read_dir(FOLDER)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "conf"))
        .collect();
    behind.sort();
    let mut files = vec![PathBuf::from(FILE)];
    files.append(&mut behind);
    files
}

/// How closely a line names a user; the closest counts, and of equals the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Closeness {
    Everybody,
    Group,
    User,
}

/// What a line limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    /// With what its numbers are multiplied.
    Resource(Resource, u64),
    /// Of which a limit says how far it may be raised: 20 less the nice value.
    Nice,
    /// The nice value itself.
    Priority,
}

impl Item {
    fn named(name: &str) -> Option<Self> {
        const KIB: u64 = 1_024;
        Some(match name {
            "core" => Self::Resource(Resource::Core, KIB),
            "data" => Self::Resource(Resource::Data, KIB),
            "fsize" => Self::Resource(Resource::Fsize, KIB),
            "memlock" => Self::Resource(Resource::Memlock, KIB),
            "rss" => Self::Resource(Resource::Rss, KIB),
            "stack" => Self::Resource(Resource::Stack, KIB),
            "as" => Self::Resource(Resource::As, KIB),
            "cpu" => Self::Resource(Resource::Cpu, 60),
            "nofile" => Self::Resource(Resource::Nofile, 1),
            "nproc" => Self::Resource(Resource::Nproc, 1),
            "locks" => Self::Resource(Resource::Locks, 1),
            "sigpending" => Self::Resource(Resource::Sigpending, 1),
            "msgqueue" => Self::Resource(Resource::Msgqueue, 1),
            "rtprio" => Self::Resource(Resource::Rtprio, 1),
            "nice" => Self::Nice,
            "priority" => Self::Priority,
            _ => return None,
        })
    }

    /// The limit as the kernel has it; `Some(None)` is none.
    fn value(self, text: &str) -> Option<Option<u64>> {
        if let Self::Nice = self {
            let nice: i64 = text.parse().ok()?;
            return Some(u64::try_from(20 - nice.clamp(-20, 19)).ok());
        }
        if matches!(text, "-1" | "unlimited" | "infinity") {
            return (self != Self::Priority).then_some(None);
        }
        match self {
            Self::Resource(_, unit) => Some(text.parse::<u64>().ok()?.checked_mul(unit)),
            // As the kernel has nice values, and above 0 for the sake of the type.
            Self::Nice | Self::Priority => {
                let nice: i64 = text.parse().ok()?;
                Some(u64::try_from(nice.clamp(-20, 19) + 20).ok())
            }
        }
    }
}

/// Each of the two values and how closely its line named the user.
type Value = Option<(Closeness, Option<u64>)>;

/// What is set of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    item: Item,
    soft: Value,
    hard: Value,
}

/// Reads files for one user.
fn read<'a>(texts: impl Iterator<Item = &'a str>, whose: &Whose<'_>) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    for line in texts.flat_map(str::lines) {
        let line = line.split_once('#').map_or(line, |(line, _)| line);
        let mut words = line.split_whitespace();
        let (Some(domain), Some(kind)) = (words.next(), words.next()) else {
            continue;
        };
        let Some(closeness) = whose.closeness(domain) else {
            continue;
        };
        let (item, value) = match (words.next(), words.next()) {
            (Some(item), Some(value)) => (item, value),
            // Such a user has no limits at all.
            (None, None) if kind == "-" && closeness != Closeness::Everybody => {
                return Vec::new();
            }
            _ => continue,
        };
        let Some(item) = Item::named(item) else {
            continue;
        };
        let Some(value) = item.value(value) else {
            continue;
        };
        let place = all.iter().position(|found| found.item == item);
        let place = place.unwrap_or_else(|| {
            all.push(Found {
                item,
                soft: None,
                hard: None,
            });
            all.len() - 1
        });
        let Some(found) = all.get_mut(place) else {
            continue;
        };
        let set = |old: &mut Value| {
            if old.is_none_or(|(closer, _)| closer <= closeness) {
                *old = Some((closeness, value));
            }
        };
        match kind {
            "soft" => set(&mut found.soft),
            "hard" => set(&mut found.hard),
            "-" => {
                set(&mut found.soft);
                set(&mut found.hard);
            }
            _ => {}
        }
    }
    all
}

impl Whose<'_> {
    fn closeness(&self, domain: &str) -> Option<Closeness> {
        // What is said of everybody, or of groups, is not said of root.
        let is_root = self.uid == 0;
        if let Some(group) = domain.strip_prefix('@') {
            let is_in = match range(group) {
                Some(is_within) => self.gids.iter().any(|gid| is_within(*gid)),
                None => (self.is_in)(group),
            };
            return (is_in && !is_root).then_some(Closeness::Group);
        }
        if domain == "*" {
            return (!is_root).then_some(Closeness::Everybody);
        }
        let is_user = match range(domain) {
            Some(is_within) => is_within(self.uid),
            None => domain == self.name,
        };
        is_user.then_some(Closeness::User)
    }
}

/// `MIN:MAX`, `MIN:`, or `:ID`, which is one alone.
fn range(text: &str) -> Option<impl Fn(u32) -> bool> {
    let (min, max) = text.split_once(':')?;
    let number = |text: &str| match text {
        "" => Some(None),
        text => text.parse().ok().map(Some),
    };
    let (min, max): (Option<u32>, Option<u32>) = (number(min)?, number(max)?);
    Some(move |id| match (min, max) {
        (None, Some(only)) => id == only,
        (min, max) => min.is_none_or(|min| id >= min) && max.is_none_or(|max| id <= max),
    })
}

impl Found {
    fn set(self) {
        let (soft, hard) = (self.soft.map(|(_, it)| it), self.hard.map(|(_, it)| it));
        let resource = match self.item {
            Item::Resource(resource, _) => resource,
            Item::Nice => Resource::Nice,
            Item::Priority => {
                let told = hard.or(soft).flatten();
                if let Some(nice) = told.and_then(|nice| i32::try_from(nice).ok()) {
                    let _ = setpriority_process(None, nice - 20);
                }
                return;
            }
        };
        let now = getrlimit(resource);
        let wanted = Rlimit {
            current: soft.unwrap_or(now.current),
            maximum: hard.unwrap_or(now.maximum),
        };
        if setrlimit(resource, capped(&wanted, wanted.maximum)).is_err() {
            let _ = setrlimit(
                resource,
                capped(&wanted, lower(wanted.maximum, now.maximum)),
            );
        }
    }
}

/// The same with no more than `maximum`.
fn capped(wanted: &Rlimit, maximum: Option<u64>) -> Rlimit {
    Rlimit {
        current: lower(wanted.current, maximum),
        maximum,
    }
}

/// Of two limits, where `None` is no limit.
fn lower(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An item with its soft and its hard limit.
    type Told = (Item, Option<Option<u64>>, Option<Option<u64>>);

    /// What `text` says of `dev`, who has the number 1000 and is in `staff`.
    fn of_dev(texts: &[&str]) -> Vec<Told> {
        of("dev", 1000, texts)
    }

    fn of(name: &str, uid: u32, texts: &[&str]) -> Vec<Told> {
        let whose = Whose {
            name,
            uid,
            is_in: &|group| group == "staff",
            gids: &[1000, 50],
        };
        let found = read(texts.iter().copied(), &whose).into_iter();
        found
            .map(|it| (it.item, it.soft.map(|it| it.1), it.hard.map(|it| it.1)))
            .collect()
    }

    const NOFILE: Item = Item::Resource(Resource::Nofile, 1);

    #[test]
    fn the_closest_line_counts_and_of_equals_the_last() {
        let text =
            "dev soft nofile 10\n@staff - nofile 20\n* hard nofile 30\n@staff hard nofile 25\n";

        assert_eq!(of_dev(&[text]), [(NOFILE, Some(Some(10)), Some(Some(25)))]);
        assert_eq!(
            of_dev(&[text, "dev soft nofile 11"]),
            [(NOFILE, Some(Some(11)), Some(Some(25)))]
        );
    }

    #[test]
    fn units_are_those_of_the_manual() {
        assert_eq!(
            of_dev(&["* - memlock 64\n* soft cpu 2\n* hard core unlimited\n* - nice -5\n"]),
            [
                (
                    Item::Resource(Resource::Memlock, 1024),
                    Some(Some(65_536)),
                    Some(Some(65_536))
                ),
                (Item::Resource(Resource::Cpu, 60), Some(Some(120)), None),
                (Item::Resource(Resource::Core, 1024), None, Some(None)),
                (Item::Nice, Some(Some(25)), Some(Some(25))),
            ]
        );
    }

    #[test]
    fn others_lines_comments_and_nonsense_say_nothing() {
        let text = "other - nofile 1\n@wheel - nofile 1\n# dev - nofile 1\ndev - nofile many\n\
                    dev maybe nofile 3\ndev - maxlogins 4\ndev - priority infinity\ndev -\t\n";

        assert_eq!(
            of_dev(&[&text.replace("dev -\t\n", "")])
                .into_iter()
                .filter(|found| found.1.is_some() || found.2.is_some())
                .count(),
            0
        );
        assert_eq!(of_dev(&["dev - nofile 9\n", text]), []);
    }

    #[test]
    fn numbers_stand_for_users_and_groups_too() {
        for domain in ["1000:1000", "900:", ":1000", "@50:60", "@:50"] {
            assert_eq!(
                of_dev(&[&format!("{domain} hard nofile 7")]).len(),
                1,
                "{domain}"
            );
        }
        for domain in ["1001:", ":1001", "@60:70", "a:b"] {
            assert_eq!(
                of_dev(&[&format!("{domain} hard nofile 7")]).len(),
                0,
                "{domain}"
            );
        }
    }

    #[test]
    fn root_has_only_what_is_said_of_it_by_name() {
        let text = "* - nofile 1\n@staff - nofile 2\n";

        assert_eq!(of("root", 0, &[text]), []);
        assert_eq!(of("root", 0, &[text, "root - nofile 3"]).len(), 1);
    }
}
