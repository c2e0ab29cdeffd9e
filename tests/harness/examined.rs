//! Examinations of a sandbox, and of subjects that are made to differ from it.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

use axt_client::{
    Api, Wanted, discover,
    doctor::{Examination, Finding, Outcome, Step, Subject, Trouble},
};
use axt_net::{http::HttpClient, wall::Wall};
use axt_openapi::Credentials;
use axt_sandbox::Sandbox;

/// A sandbox as a client on its machine finds it.
pub(crate) fn found(sandbox: &Sandbox) -> Subject {
    let wanted = Wanted {
        state_dir: Some(sandbox.state().path().to_owned()),
        ..Wanted::default()
    };
    let target = discover::find(wanted, &|_| None).expect("a sandbox");
    Subject {
        api: sandbox.api().clone(),
        network: sandbox.network().clone(),
        instance: None,
        wall: Wall::system(),
        target,
    }
    .calling()
}

/// A subject that is changed.
pub(crate) trait Calling {
    fn calling(self) -> Self;
    fn signing(self, key: Credentials) -> Self;
    fn at(self, endpoint: &str) -> Self;
    fn on(self, instance: &str) -> Self;
}

impl Calling for Subject {
    /// The API as the target has it.
    fn calling(mut self) -> Self {
        self.api = Api::new(
            HttpClient::new(self.network.dialer.clone(), self.network.tls.clone()),
            &self.target.endpoint,
            self.target.region.clone(),
            self.target.credentials.clone(),
            self.wall.clone(),
        )
        .expect("an endpoint");
        self
    }

    fn signing(mut self, key: Credentials) -> Self {
        self.target.credentials = key;
        self.calling()
    }

    fn at(mut self, endpoint: &str) -> Self {
        self.target.endpoint = endpoint.to_owned();
        self.calling()
    }

    fn on(mut self, instance: &str) -> Self {
        self.instance = Some(instance.parse().expect("an id"));
        self
    }
}

/// Examines, and ends what that started.
pub(crate) async fn examine(subject: Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut examination = Examination::of(Ok(subject));
    let is_well = examination.run(|finding| findings.push(finding)).await;
    examination.end().await;
    let failed = findings
        .iter()
        .any(|it| matches!(it.outcome, Outcome::Failed(_)));
    assert_eq!(is_well, !failed);
    findings
}

/// What is wrong with the step that has to fail: all before it pass, all behind it are skipped, and
/// there is something to do about it.
pub(crate) fn trouble(findings: &[Finding], step: Step) -> String {
    assert_eq!(findings.len(), Step::ALL.len());
    let (before, rest) = findings.split_at(
        findings
            .iter()
            .position(|finding| finding.step == step)
            .expect("each step is told"),
    );
    for finding in before {
        assert!(
            matches!(finding.outcome, Outcome::Passed { .. }),
            "{finding:?}"
        );
    }
    for finding in &rest[1..] {
        assert_eq!(finding.outcome, Outcome::Skipped, "{finding:?}");
    }
    match &rest[0].outcome {
        Outcome::Failed(Trouble {
            problem,
            hint: Some(hint),
        }) => format!("{problem} | {hint}"),
        other => panic!("{step}: {other:?}"),
    }
}
