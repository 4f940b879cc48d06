//! The types and services that are generated from `proto/documents.proto`.
#![expect(
    missing_docs,
    clippy::allow_attributes_without_reason,
    reason = "generated; the comments are in the .proto"
)]

tonic::include_proto!("documents.v1");
