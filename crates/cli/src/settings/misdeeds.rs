//! What the file has go wrong: faults, and simulated instances that misbehave.

use axt_control::admin::fault::Fault;
use axt_sandbox::{Behaving, Whose};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    place::{FileError, Set},
    tables::{BehaviourTable, FaultTable},
};

pub(crate) fn behaviours(tables: Vec<BehaviourTable>) -> Result<Vec<Behaving>, FileError> {
    let behaving = |table: BehaviourTable| {
        let whose = match (table.share, table.instance) {
            (None, None) => Whose::All,
            (Some(text), None) | (None, Some(text)) => text
                .value
                .parse()
                .map_err(|bad| FileError::new(&text.at, bad))?,
            (Some(_), Some(instance)) => {
                let both = "[[behaviours]] can have `share` or `instance`, not both";
                return Err(FileError::new(&instance.at, both));
            }
        };
        Ok(Behaving {
            whose,
            // It is required, so a table without it was not read.
            behaviour: table.behave.map(|set| set.value).unwrap_or_default(),
        })
    };
    tables.into_iter().map(behaving).collect()
}

pub(crate) fn faults(tables: Vec<FaultTable>) -> Result<Vec<Fault>, FileError> {
    let mut faults = Vec::new();
    for table in tables {
        let Some(kind) = table.kind else {
            // It is required, so the table was not read.
            continue;
        };
        let at = kind.at.clone();
        let mut members = Members(Map::new());
        members.put("type", Some(kind));
        members.put("name", table.name);
        members.put("link", table.link);
        members.put("stream", table.stream);
        members.put("toxicity", table.toxicity);
        members.put("times", table.times);
        members.put("instance", table.instance);
        members.put("session", table.session);
        members.put("connection", table.connection);
        members.put("latency", table.latency);
        members.put("jitter", table.jitter);
        members.put("rate", table.rate);
        members.put("delay", table.delay);
        members.put("timeout", table.timeout);
        members.put("average_size", table.average_size);
        members.put("size_variation", table.size_variation);
        members.put("bytes", table.bytes);
        members.put("status", table.status);
        members.put("length", table.length);
        members.put("number", table.number);
        members.put("code", table.code);
        members.put("reason", table.reason);
        members.put("bits", table.bits);
        members.put("action", table.action);
        faults.push(Fault::try_from(members.0).map_err(|bad| FileError::new(&at, bad))?);
    }
    Ok(faults)
}

struct Members(Map<String, Value>);

impl Members {
    fn put<T: Serialize>(&mut self, name: &str, set: Option<Set<T>>) {
        let value = set.and_then(|set| serde_json::to_value(set.value).ok());
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::file::parse;

    fn read(text: &str) -> Result<(Vec<Behaving>, Vec<Fault>), String> {
        let settings = parse(Path::new("axt.toml"), text).map_err(|error| error.to_string())?;
        let behaviours = behaviours(settings.behaviours).map_err(|error| error.to_string())?;
        let faults = faults(settings.faults).map_err(|error| error.to_string())?;
        Ok((behaviours, faults))
    }

    #[test]
    fn a_file_has_faults_and_shares_of_instances_that_misbehave() {
        let (behaviours, faults) = read(
            "[[behaviours]]\nshare = \"30%\"\nbehave = [\"never_dials\", \"floods=9\"]\n\
             [[faults]]\ntype = \"latency\"\nlatency = 500\nlink = \"agent\"\n\
             [[faults]]\ntype = \"send_status\"\ncode = 5\nreason = \"404\"\ntimes = 1\n\
             [[faults]]\ntype = \"api_error\"\ncode = \"Throttling.User\"\ntoxicity = 0.5\n",
        )
        .expect("reads");

        assert_eq!(behaviours[0].whose, Whose::Percent(30.0));
        assert_eq!(behaviours[0].behaviour.words(), ["never_dials", "floods=9"]);
        let words: Vec<_> = faults.iter().map(|fault| fault.kind.word()).collect();
        assert_eq!(words, ["latency", "send_status", "api_error"]);
        assert_eq!((faults[1].times, faults[2].toxicity), (Some(1), 0.5));
    }

    #[test]
    fn what_is_wrong_names_the_line_and_the_nearest_word() {
        for (text, told) in [
            (
                "\n[[faults]]\ntype = \"latancy\"\n",
                "axt.toml:3: there is no fault `latancy`; did you mean `latency`?",
            ),
            (
                "[[faults]]\ntype = \"latency\"\nlatancy = 3\n",
                "axt.toml:3: unknown key `latancy` in [[faults]]; did you mean `latency`?",
            ),
            (
                "[[faults]]\ntype = \"drop_kick\"\ndelay = 3\n",
                "axt.toml:2: drop_kick has no `delay`; there are name, toxicity, times, instance, session, connection",
            ),
            (
                "[[behaviours]]\nbehave = [\"never_dial\"]\n",
                "axt.toml:2: `behave` in [[behaviours]]: no agent behaves as `never_dial`; did you mean `never_dials`?",
            ),
            (
                "[[behaviours]]\nbehave = []\nshare = \"x\"\n",
                "axt.toml:3: `x` says of no instances: expected a share such as 30%, or a name such as local-3",
            ),
        ] {
            assert_eq!(read(text).expect_err("wrong"), told);
        }
    }
}
