//! Errors of the API by their codes.

use std::time::Duration;

use axt_control::{admin::fault::FaultKind, words::instead};
use axt_openapi::{ActionName, ApiError, ErrorCode};

/// What a throttled caller is told to wait, where nothing is counted.
const RETRY: Duration = Duration::from_secs(1);

/// The error of that code, with what the code names; `None` when there is no such code.
pub(crate) fn error(code: &str) -> Option<ApiError> {
    let found = *ErrorCode::find(code).first()?;
    let error = ApiError::new(found);
    let stem = found.entry().code.strip_suffix("{0}");
    let error = match stem.and_then(|stem| code.strip_prefix(stem)) {
        Some(named) => error.with(named.to_owned()),
        None => error,
    };
    Some(match code.starts_with("Throttling") {
        true => error.retry_after(RETRY),
        false => error,
    })
}

/// Whether the API knows what a fault names.
///
/// # Errors
/// What it does not know, with the nearest that it does.
pub(crate) fn check(kind: &FaultKind) -> Result<(), String> {
    let FaultKind::ApiError { code, action } = kind else {
        return Ok(());
    };
    if error(code).is_none() {
        let codes = ErrorCode::ALL.iter().map(|code| code.entry().code);
        return Err(match axt_control::words::nearest(code, codes) {
            Some(near) => format!("the API has no error `{code}`; did you mean `{near}`?"),
            None => format!("the API has no error `{code}`: `axt api --errors` lists them"),
        });
    }
    match action {
        Some(action) if ActionName::find(action).is_none() => {
            let all = ActionName::ALL.iter().map(|action| action.as_str());
            Err(format!(
                "the API has no action `{action}`; {}",
                instead(action, all)
            ))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_one_of_the_table_and_may_name_a_parameter() {
        let text = |code: &str| error(code).map(|error| error.code_text());

        assert_eq!(text("Throttling.User").as_deref(), Some("Throttling.User"));
        assert_eq!(
            text("MissingParameter.RegionId").as_deref(),
            Some("MissingParameter.RegionId")
        );
        assert_eq!(text("NoSuch.Code"), None);
    }

    #[test]
    fn what_the_api_does_not_know_is_told_with_the_nearest() {
        let fault = |code: &str, action: Option<&str>| FaultKind::ApiError {
            code: code.to_owned(),
            action: action.map(str::to_owned),
        };

        assert_eq!(check(&fault("Throttling", Some("DescribeRegions"))), Ok(()));
        let told = check(&fault("Throtling.User", None)).expect_err("no code");
        assert!(told.ends_with("did you mean `Throttling.User`?"), "{told}");
        let told = check(&fault("Throttling", Some("DescribeRegion"))).expect_err("no action");
        assert!(told.ends_with("did you mean `DescribeRegions`?"), "{told}");
    }
}
