//! Makes the gRPC service's types of `proto/documents.proto`, without a `protoc` on the machine.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = protox::compile(["documents.proto"], ["proto"])?;
    tonic_prost_build::configure()
        .generate_default_stubs(false)
        .compile_fds(files)?;
    Ok(())
}
