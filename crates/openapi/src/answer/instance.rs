//! Answers about instances (ecs-api 3.14).

use serde::{Deserialize, Serialize};

use super::wrapped;

wrapped! {
    /// `Instances.Instance[]`
    Instances { "Instance": Instance }
    /// `IpAddress[]`
    IpAddresses { "IpAddress": String }
    /// `SecurityGroupIds.SecurityGroupId[]`
    SecurityGroupIds { "SecurityGroupId": String }
    /// `NetworkInterfaces.NetworkInterface[]`
    NetworkInterfaces { "NetworkInterface": NetworkInterface }
    /// `Tags.Tag[]`
    Tags { "Tag": Tag }
    /// `OperationLocks.LockReason[]`
    OperationLocks { "LockReason": OperationLock }
    /// `InstanceStatuses.InstanceStatus[]`
    InstanceStatuses { "InstanceStatus": InstanceStatus }
}

/// The answer of DescribeInstances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeInstances {
    /// How many there are on all pages of the old scheme.
    pub total_count: u32,
    /// The page of the old scheme.
    pub page_number: u32,
    /// The size of its pages.
    pub page_size: u32,
    /// What leads to the next page; empty on the last.
    pub next_token: String,
    /// The instances of the page.
    pub instances: Instances,
}

/// An instance, with the fields that a console and scripts need.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Instance {
    /// `i-…`
    pub instance_id: String,
    /// The name that people gave it.
    pub instance_name: String,
    /// The name that it has for itself.
    pub host_name: String,
    /// `Pending`, `Running`, `Starting`, `Stopping` or `Stopped`.
    pub status: String,
    /// The region.
    pub region_id: String,
    /// The zone within the region.
    pub zone_id: String,
    /// `linux` or `windows`
    #[serde(rename = "OSType")]
    pub os_type: String,
    /// The system, in Chinese where that differs.
    #[serde(rename = "OSName")]
    pub os_name: String,
    /// The system, in English.
    #[serde(rename = "OSNameEn")]
    pub os_name_en: String,
    /// The image it was made from.
    pub image_id: String,
    /// Its type.
    pub instance_type: String,
    /// The family of its type.
    pub instance_type_family: String,
    /// The number of its cores.
    pub cpu: u32,
    /// Its memory in MiB.
    pub memory: u32,
    /// `vpc`
    pub instance_network_type: String,
    /// `PostPaid` or `PrePaid`
    pub instance_charge_type: String,
    /// Its place in a VPC.
    pub vpc_attributes: VpcAttributes,
    /// Its public addresses.
    pub public_ip_address: IpAddresses,
    /// Its addresses in the classic network: none.
    pub inner_ip_address: IpAddresses,
    /// Its elastic address.
    pub eip_address: EipAddress,
    /// Its security groups.
    pub security_group_ids: SecurityGroupIds,
    /// Its network interfaces.
    pub network_interfaces: NetworkInterfaces,
    /// Its tags.
    pub tags: Tags,
    /// Why it is locked: it is not.
    pub operation_locks: OperationLocks,
    /// `yyyy-MM-ddTHH:mmZ`
    pub creation_time: String,
    /// `yyyy-MM-ddTHH:mmZ`
    pub start_time: String,
    /// `yyyy-MM-ddTHH:mmZ`
    pub expired_time: String,
    /// What people wrote about it.
    pub description: String,
    /// Its resource group.
    pub resource_group_id: String,
    /// Its serial number.
    pub serial_number: String,
    /// Whether devices can be attached.
    pub device_available: bool,
    /// Whether it is I/O optimised.
    pub io_optimized: bool,
    /// Its key pair.
    pub key_pair_name: String,
}

/// `VpcAttributes`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VpcAttributes {
    /// The VPC.
    pub vpc_id: String,
    /// The switch.
    #[serde(rename = "VSwitchId")]
    pub v_switch_id: String,
    /// The address it is seen under; empty.
    pub nat_ip_address: String,
    /// Its private addresses.
    pub private_ip_address: IpAddresses,
}

/// `EipAddress`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EipAddress {
    /// The address; empty.
    pub ip_address: String,
    /// Its id; empty.
    pub allocation_id: String,
    /// How it is paid for; empty.
    pub internet_charge_type: String,
}

/// `NetworkInterfaces.NetworkInterface[]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NetworkInterface {
    /// Its id.
    pub network_interface_id: String,
    /// Its hardware address.
    pub mac_address: String,
    /// Its first address.
    pub primary_ip_address: String,
    /// `Primary`
    #[serde(rename = "Type")]
    pub kind: String,
}

/// `OperationLocks.LockReason[]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OperationLock {
    /// `financial`, `security`, …
    pub lock_reason: String,
}

/// A tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// The key.
    pub tag_key: String,
    /// The value.
    pub tag_value: String,
}

/// The answer of DescribeInstanceStatus.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeInstanceStatus {
    /// How many there are on all pages.
    pub total_count: u32,
    /// The page.
    pub page_number: u32,
    /// The size of pages.
    pub page_size: u32,
    /// The instances of the page.
    pub instance_statuses: InstanceStatuses,
}

/// The state of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InstanceStatus {
    /// The instance.
    pub instance_id: String,
    /// `Pending`, `Running`, `Starting`, `Stopping` or `Stopped`.
    pub status: String,
}
