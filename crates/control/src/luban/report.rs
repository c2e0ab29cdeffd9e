//! What an agent reports on a run-command task (wire-protocol 10.7): a word in the path, the numbers
//! in the query, and the output that earlier reports have not told as the body.

use std::fmt;

use super::path;

/// The longest description of a failure, in bytes before escaping (10.7).
const DESCRIPTION_BYTES: usize = 255;

/// A report, without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskReport {
    /// Which task, by the id that its list element had.
    pub task: String,
    /// See [`TaskInfo::invoke_version`](super::task::TaskInfo).
    pub invoke_version: u64,
    /// How many bytes of output came before its body, where that was granted
    /// ([`GrantedTask`](super::task::GrantedTask)); the official agent has no such parameter.
    pub position: Option<u64>,
    /// What it says.
    pub news: TaskNews,
}

/// What a report says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskNews {
    /// A task that was only to be checked has passed.
    Verified,
    /// It runs, since `start` (Unix milliseconds).
    Running {
        /// See above.
        start: u64,
    },
    /// It ended by itself.
    Finish(TaskEnd),
    /// It was over its time and was killed.
    Timeout(TaskEnd),
    /// It could not be run.
    Error {
        /// How far it came.
        end: TaskEnd,
        /// For programs.
        code: String,
        /// For people; at most 255 bytes.
        description: String,
    },
    /// It was stopped, as the notify channel had said.
    Stopped {
        /// How far it came.
        end: TaskEnd,
        /// Whether it was killed; otherwise it had ended already.
        was_killed: bool,
    },
    /// A check failed.
    Invalid {
        /// Which: `TypeInvalid`, `CommandContentInvalid`, `workingDirectory`,
        /// `UsernameOrPasswordInvalid`, ….
        parameter: String,
        /// The value that failed it.
        value: String,
    },
}

/// The numbers of a task that is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskEnd {
    /// When it started, Unix milliseconds.
    pub start: u64,
    /// When it was over, Unix milliseconds.
    pub end: u64,
    /// Its exit code.
    pub exit_code: i32,
    /// How many bytes of output were cut from the front.
    pub dropped: u64,
}

/// A path and query that are no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a report on a task")]
pub struct NoReport;

impl TaskReport {
    /// The path that it is posted to.
    #[must_use]
    pub fn path(&self) -> String {
        let word = match self.news {
            TaskNews::Verified => "verified",
            TaskNews::Running { .. } => "running",
            TaskNews::Finish(_) => "finish",
            TaskNews::Timeout(_) => "timeout",
            TaskNews::Error { .. } => "error",
            TaskNews::Stopped { .. } => "stopped",
            TaskNews::Invalid { .. } => "invalid",
        };
        format!("{}{word}", path::TASK_REPORT)
    }

    /// The query that goes with it.
    #[must_use]
    pub fn query(&self) -> String {
        let mut query = Query::new();
        query.text("taskId", &self.task);
        query.number("invokeVersion", self.invoke_version);
        match &self.news {
            TaskNews::Verified => {}
            TaskNews::Running { start } => query.number("start", start),
            TaskNews::Finish(end) | TaskNews::Timeout(end) => query.end(end, EXIT_CODE),
            TaskNews::Error {
                end,
                code,
                description,
            } => {
                query.end(end, EXIT_CODE);
                query.text("errCode", code);
                query.text("errDesc", cut(description));
            }
            TaskNews::Stopped { end, was_killed } => {
                query.end(end, STOPPED_EXIT_CODE);
                query.text("result", if *was_killed { "killed" } else { "completed" });
            }
            TaskNews::Invalid { parameter, value } => {
                query.text("param", parameter);
                query.text("value", cut(value));
            }
        }
        if let Some(position) = self.position {
            query.number(POSITION, position);
        }
        query.0.finish()
    }

    /// Reads a report by the path and the query of its request. Numbers that are missing are 0.
    ///
    /// # Errors
    /// [`NoReport`] for another path, or without a task.
    pub fn read(path: &str, query: &str) -> Result<Self, NoReport> {
        let get = |name: &str| {
            form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        let number = |name: &str| get(name).and_then(|text| text.parse().ok()).unwrap_or(0);
        let end = |exit_code: &str| TaskEnd {
            start: number("start"),
            end: number("end"),
            exit_code: get(exit_code)
                .and_then(|text| text.parse().ok())
                .unwrap_or_default(),
            dropped: number("dropped"),
        };
        let text = |name: &str| cut(&get(name).unwrap_or_default()).to_owned();
        let news = match path.strip_prefix(path::TASK_REPORT).ok_or(NoReport)? {
            "verified" => TaskNews::Verified,
            "running" => TaskNews::Running {
                start: number("start"),
            },
            "finish" => TaskNews::Finish(end(EXIT_CODE)),
            "timeout" => TaskNews::Timeout(end(EXIT_CODE)),
            "error" => TaskNews::Error {
                end: end(EXIT_CODE),
                code: text("errCode"),
                description: text("errDesc"),
            },
            "stopped" => TaskNews::Stopped {
                end: end(STOPPED_EXIT_CODE),
                was_killed: get("result").as_deref() != Some("completed"),
            },
            "invalid" => TaskNews::Invalid {
                parameter: text("param"),
                value: text("value"),
            },
            _ => return Err(NoReport),
        };
        Ok(Self {
            task: get("taskId")
                .filter(|task| !task.is_empty())
                .ok_or(NoReport)?,
            invoke_version: number("invokeVersion"),
            position: get(POSITION).and_then(|text| text.parse().ok()),
            news,
        })
    }
}

const POSITION: &str = "position";
const EXIT_CODE: &str = "exitCode";
/// Sic: the one report that spells it so.
const STOPPED_EXIT_CODE: &str = "exitcode";

struct Query(form_urlencoded::Serializer<'static, String>);

impl Query {
    fn new() -> Self {
        Self(form_urlencoded::Serializer::new(String::new()))
    }

    fn text(&mut self, name: &str, value: &str) {
        self.0.append_pair(name, value);
    }

    fn number(&mut self, name: &str, value: impl fmt::Display) {
        self.text(name, &value.to_string());
    }

    fn end(&mut self, end: &TaskEnd, exit_code: &str) {
        self.number("start", end.start);
        self.number("end", end.end);
        self.number(exit_code, end.exit_code);
        self.number("dropped", end.dropped);
    }
}

/// As much of a text as a report may have, whole characters.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(DESCRIPTION_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn end() -> impl Strategy<Value = TaskEnd> {
        (any::<u64>(), any::<u64>(), any::<i32>(), any::<u64>()).prop_map(
            |(start, end, exit_code, dropped)| TaskEnd {
                start,
                end,
                exit_code,
                dropped,
            },
        )
    }

    fn news() -> impl Strategy<Value = TaskNews> {
        prop_oneof![
            Just(TaskNews::Verified),
            any::<u64>().prop_map(|start| TaskNews::Running { start }),
            end().prop_map(TaskNews::Finish),
            end().prop_map(TaskNews::Timeout),
            (end(), "[A-Za-z]{1,20}", "\\PC{0,60}").prop_map(|(end, code, description)| {
                TaskNews::Error {
                    end,
                    code,
                    description,
                }
            }),
            (end(), any::<bool>())
                .prop_map(|(end, was_killed)| TaskNews::Stopped { end, was_killed }),
            ("[A-Za-z]{1,20}", "\\PC{0,60}")
                .prop_map(|(parameter, value)| TaskNews::Invalid { parameter, value }),
        ]
    }

    proptest! {
        #[test]
        fn any_report_reads_back(
            task in "t-[a-z0-9]{1,20}",
            invoke_version in any::<u64>(),
            position in any::<Option<u64>>(),
            news in news(),
        ) {
            let report = TaskReport { task, invoke_version, position, news };

            let read = TaskReport::read(&report.path(), &report.query());

            prop_assert_eq!(read, Ok(report));
        }
    }

    #[test]
    fn a_stopped_task_spells_its_exit_code_in_its_own_way() {
        let report = TaskReport {
            task: "t-1".to_owned(),
            invoke_version: 1,
            position: None,
            news: TaskNews::Stopped {
                end: TaskEnd {
                    start: 1,
                    end: 2,
                    exit_code: 137,
                    dropped: 0,
                },
                was_killed: true,
            },
        };

        assert_eq!(report.path(), "/luban/api/v1/task/stopped");
        assert_eq!(
            report.query(),
            "taskId=t-1&invokeVersion=1&start=1&end=2&exitcode=137&dropped=0&result=killed"
        );
    }

    #[test]
    fn a_description_is_cut_between_characters() {
        let text = "é".repeat(200);

        assert_eq!(cut(&text), "é".repeat(127));
        assert_eq!(cut("short"), "short");
    }
}
