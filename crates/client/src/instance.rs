//! Which instance is meant when none is named.

use axt_control::admin::ReadyInstance;
use axt_proto::InstanceId;

/// No instance was named, and there is not exactly one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ambiguous {
    /// The ready file names none, or there is no ready file.
    #[error("no instance is named, and none is known here")]
    None,
    /// There are several.
    #[error("there are {} instances: {}", .0.len(), list(.0))]
    Several(Vec<ReadyInstance>),
}

/// The instance that is `named`, or else the only one that is `known`.
///
/// # Errors
/// [`Ambiguous`], listing what there is.
pub fn choose(named: Option<InstanceId>, known: &[ReadyInstance]) -> Result<InstanceId, Ambiguous> {
    match (named, known) {
        (Some(id), _) => Ok(id),
        (None, [only]) => Ok(only.id.clone()),
        (None, []) => Err(Ambiguous::None),
        (None, several) => Err(Ambiguous::Several(several.to_vec())),
    }
}

fn list(instances: &[ReadyInstance]) -> String {
    let named: Vec<_> = instances
        .iter()
        .map(|instance| format!("{} ({})", instance.id, instance.name))
        .collect();
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(ids: &[&str]) -> Vec<ReadyInstance> {
        ids.iter()
            .map(|id| ReadyInstance {
                id: id.parse().expect("valid"),
                name: format!("local-{id}"),
            })
            .collect()
    }

    #[test]
    fn the_only_instance_needs_no_name() {
        let chosen = choose(None, &known(&["i-1"])).expect("one");

        assert_eq!(chosen.as_str(), "i-1");
    }

    #[test]
    fn of_several_one_has_to_be_named_and_all_are_listed() {
        let refusal = choose(None, &known(&["i-1", "i-2"])).expect_err("several");

        assert_eq!(
            refusal.to_string(),
            "there are 2 instances: i-1 (local-i-1), i-2 (local-i-2)"
        );
    }

    #[test]
    fn a_named_instance_is_taken_at_its_word() {
        let named = "i-9".parse().expect("valid");

        assert_eq!(
            choose(Some(named), &known(&[])).expect("named").as_str(),
            "i-9"
        );
    }
}
