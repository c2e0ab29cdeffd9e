//! Where the API is, and which of its regions is meant.

use axt_control::admin::ReadyFile;
use axt_proto::RegionId;

use super::{DiscoverError, Environment, Origin, Wanted, aliyun, read_ready};

/// The endpoint's variable of the official SDKs.
const ENDPOINT: &str = "ALIBABA_CLOUD_ENDPOINT";

/// The region's.
const REGION: &str = "ALIBABA_CLOUD_REGION_ID";

/// Where the API is, with the ready file if that is what says so.
pub(super) struct Place {
    pub(super) endpoint: String,
    pub(super) from: Origin,
    pub(super) ready: Option<ReadyFile>,
}

impl Place {
    /// Finds it: the endpoint that is named, else the ready file's, else the SDKs'.
    pub(super) fn find(wanted: &Wanted, environment: &Environment) -> Result<Self, DiscoverError> {
        let named = |endpoint, from| Place {
            endpoint,
            from,
            ready: None,
        };
        if let Some(endpoint) = &wanted.endpoint {
            return Ok(named(endpoint.clone(), Origin::Named));
        }
        match read_ready(wanted.state_dir.as_deref(), environment) {
            Ok(ready) => Ok(Place {
                endpoint: ready.api_https.clone(),
                from: Origin::Ready,
                ready: Some(ready),
            }),
            Err(DiscoverError::NotRunning(path)) => {
                let endpoint = environment(ENDPOINT).filter(|_| wanted.state_dir.is_none());
                endpoint
                    .map(|endpoint| named(endpoint, Origin::Environment(ENDPOINT)))
                    .ok_or(DiscoverError::NotRunning(path))
            }
            Err(error) => Err(error),
        }
    }

    /// The region that is meant there, and where that was found.
    pub(super) fn region(
        &self,
        wanted: &Wanted,
        environment: &Environment,
    ) -> Result<(RegionId, Origin), DiscoverError> {
        if let Some(region) = &wanted.region {
            return Ok((region.clone(), Origin::Named));
        }
        if let Some(ready) = &self.ready {
            return Ok((ready.region.clone(), Origin::Ready));
        }
        if let Some(region) = environment(REGION).and_then(|text| text.parse().ok()) {
            return Ok((region, Origin::Environment(REGION)));
        }
        let profile = match &wanted.profile {
            Some(name) => Some(aliyun::named(name, environment)?),
            None => aliyun::current(environment)?,
        };
        profile
            .and_then(|profile| Some((profile.region.clone()?, profile.origin())))
            .ok_or_else(|| DiscoverError::Missing {
                what: "region",
                how: "`--region` or ALIBABA_CLOUD_REGION_ID",
                endpoint: self.endpoint.clone(),
            })
    }
}
