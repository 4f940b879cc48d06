//! Generates the gRPC types from `proto/documents.proto`, without an installed `protoc`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = protox::compile(["documents.proto"], ["proto"])?;
    tonic_prost_build::configure()
        .generate_default_stubs(false)
        .compile_fds(files)?;
    Ok(())
}
