//! Activation codes made, switched off, deleted; and machines that register with them.

use axt_proto::{AccountId, InstanceId, RegionId, Secret, Tick};

use crate::{
    Activation, ActivationId, ActivationSpec, Changes, InstanceSpec, OsType, Registered, Registry,
    Row, RowKey, registry::Step,
};

/// Why an activation is not made, changed or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActivationRefusal {
    /// `ActivationCount.ExceedLimit`.
    #[error("the account has as many live activations in the region as it may have")]
    Full,
    /// `InvalidActivationId.NotFound`: unknown, another account's or another region's.
    #[error("the account has no such activation in this region")]
    NotFound,
    /// `ActivationId.InUse`.
    #[error("an instance has registered with the activation")]
    InUse,
}

/// What a machine tells when it registers (wire-protocol 10.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The activation's id.
    pub activation: ActivationId,
    /// The activation's code, as the stranger sent it.
    pub code: Secret,
    /// In which region it registers.
    pub region: RegionId,
    /// The name that its command line gave, possibly empty.
    pub name: String,
    /// Its host name.
    pub host_name: String,
    /// What it signs beside its id.
    pub machine_id: String,
    /// What its signatures are checked with.
    pub public_key: String,
    /// Its operating system.
    pub os_type: OsType,
    /// The operating system's version in words.
    pub os_version: String,
    /// Its private address.
    pub intranet_ip: String,
    /// The address that it came from.
    pub internet_ip: String,
    /// Tags of its command line, beside those of the activation.
    pub tags: Vec<(String, String)>,
}

/// Why a machine is not registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterRefusal {
    /// No such activation, or not its code: a stranger learns no more.
    #[error("the activation or its code is not known in this region")]
    UnknownOrWrongCode,
    /// It was switched off.
    #[error("the activation is disabled")]
    Disabled,
    /// It is too old.
    #[error("the activation has expired")]
    Expired,
    /// As many machines as it was made for have registered.
    #[error("the activation has registered as many instances as it may")]
    Full,
    /// The fresh id was none.
    #[error("the instance id is taken")]
    IdTaken,
}

impl Registry {
    /// CreateActivation, with a fresh id and code (ecs-api 3.6).
    ///
    /// # Errors
    /// [`ActivationRefusal::Full`].
    pub fn create_activation(
        &mut self,
        now: Tick,
        id: ActivationId,
        code: Secret,
        spec: ActivationSpec,
    ) -> (Result<Activation, ActivationRefusal>, Changes) {
        self.step(now, |registry, step| {
            let of_scope = registry
                .activations
                .values()
                .filter(|one| one.spec.account == spec.account && one.spec.region == spec.region);
            let alive = of_scope.filter(|one| one.is_alive(step.now)).count();
            let limit = registry.limits.activations_per_region;
            if u32::try_from(alive).is_ok_and(|alive| alive >= limit) {
                return Err(ActivationRefusal::Full);
            }
            let activation = Activation {
                id: id.clone(),
                code,
                spec,
                created: step.now,
                is_disabled: false,
                registered: 0,
                deregistered: 0,
            };
            step.put(Row::Activation(Box::new(activation.clone())));
            registry.activations.insert(id, activation.clone());
            Ok(activation)
        })
    }

    /// DisableActivation (ecs-api 3.8): registered machines stay; disabling twice succeeds.
    ///
    /// # Errors
    /// [`ActivationRefusal::NotFound`].
    pub fn disable_activation(
        &mut self,
        now: Tick,
        account: &AccountId,
        region: &RegionId,
        id: &ActivationId,
    ) -> (Result<Activation, ActivationRefusal>, Changes) {
        self.step(now, |registry, step| {
            let activation = registry.activation_of(account, region, id)?;
            activation.is_disabled = true;
            let activation = activation.clone();
            step.put(Row::Activation(Box::new(activation.clone())));
            Ok(activation)
        })
    }

    /// DeleteActivation (ecs-api 3.8).
    ///
    /// # Errors
    /// [`ActivationRefusal::NotFound`], [`ActivationRefusal::InUse`].
    pub fn delete_activation(
        &mut self,
        now: Tick,
        account: &AccountId,
        region: &RegionId,
        id: &ActivationId,
    ) -> (Result<Activation, ActivationRefusal>, Changes) {
        self.step(now, |registry, step| {
            let activation = registry.activation_of(account, region, id)?.clone();
            if activation.registered > 0 {
                return Err(ActivationRefusal::InUse);
            }
            registry.activations.remove(id);
            step.delete(RowKey::Activation(id.clone()));
            Ok(activation)
        })
    }

    fn activation_of(
        &mut self,
        account: &AccountId,
        region: &RegionId,
        id: &ActivationId,
    ) -> Result<&mut Activation, ActivationRefusal> {
        self.activations
            .get_mut(id)
            .filter(|one| one.spec.account == *account && one.spec.region == *region)
            .ok_or(ActivationRefusal::NotFound)
    }

    /// A machine registers as the managed instance `fresh` (wire-protocol 10.2). From where it may
    /// do so is for the caller to judge, by [`ActivationSpec::ip_address_range`].
    ///
    /// # Errors
    /// See [`RegisterRefusal`].
    pub fn register(
        &mut self,
        now: Tick,
        registration: Registration,
        fresh: InstanceId,
    ) -> (Result<InstanceId, RegisterRefusal>, Changes) {
        self.step(now, |registry, step| {
            if registry.instances.contains_key(&fresh) {
                return Err(RegisterRefusal::IdTaken);
            }
            let activation = registry
                .activations
                .get_mut(&registration.activation)
                .filter(|one| one.code == registration.code)
                .filter(|one| one.spec.region == registration.region)
                .ok_or(RegisterRefusal::UnknownOrWrongCode)?;
            if activation.is_disabled {
                return Err(RegisterRefusal::Disabled);
            }
            if !activation.is_alive(step.now) {
                return Err(RegisterRefusal::Expired);
            }
            if activation.registered >= activation.spec.instance_count {
                return Err(RegisterRefusal::Full);
            }
            activation.registered = activation.registered.saturating_add(1);
            let activation = activation.clone();
            step.put(Row::Activation(Box::new(activation.clone())));
            registry.insert_managed(step, &activation, registration, fresh.clone());
            Ok(fresh)
        })
    }

    fn insert_managed(
        &mut self,
        step: &mut Step,
        activation: &Activation,
        told: Registration,
        id: InstanceId,
    ) {
        let account = activation.spec.account.clone();
        let given = Some(told.name).filter(|name| !name.is_empty());
        let name = given.or_else(|| activation.name_of(activation.registered));
        let spec = InstanceSpec {
            name: name.unwrap_or_else(|| told.host_name.clone()),
            host_name: told.host_name,
            os_type: told.os_type,
            os_version: told.os_version,
            machine_id: Some(told.machine_id),
            public_key: Some(told.public_key),
            intranet_ip: told.intranet_ip,
            internet_ip: told.internet_ip,
            tags: activation
                .spec
                .tags
                .clone()
                .into_iter()
                .chain(told.tags)
                .collect(),
            ..InstanceSpec::new(id, account, told.region)
        };
        let registered = Registered {
            activation: activation.id.clone(),
            at: step.now,
        };
        self.insert_instance(step, spec, Some(registered));
    }
}
