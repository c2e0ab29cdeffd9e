//! The answer about regions (ecs-api 3.15).

use serde::Serialize;

use super::wrapped;

/// The answer of DescribeRegions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeRegions {
    /// The regions.
    pub regions: Regions,
}

wrapped! {
    /// `Regions.Region[]`
    Regions { "Region": Region }
}

/// A region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Region {
    /// Its id.
    pub region_id: String,
    /// Its name, in the language that was asked for.
    pub local_name: String,
    /// The host and port that serve it: the sandbox's own, so that who follows it stays here.
    pub region_endpoint: String,
    /// `available`
    pub status: &'static str,
}
