//! The ECS OpenAPI as data: actions, validation, errors, signatures, rendering.
