//! Activation codes: the one part of them that needs randomness.

use axt_registry::{Activation, ActivationId, ActivationRefusal, ActivationSpec, Changes};

use super::Desk;
use crate::ids;

impl Desk {
    /// Makes an activation with a fresh id and code.
    pub(crate) fn create_activation(
        &mut self,
        spec: ActivationSpec,
    ) -> (Result<Activation, ActivationRefusal>, Changes) {
        let letters = ids::letters(&spec.region, &self.letters);
        let (id, code) = self.ids.activation(letters);
        self.registry
            .create_activation(self.now(), ActivationId(id), code, spec)
    }
}
