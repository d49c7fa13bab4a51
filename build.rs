//! Has the module bring its own unwinder. What stops a panic at the C boundary is
//! in libgcc: linked into the module, it is not one more library to be found, mapped
//! and relocated at each login, in programs that have no use for it.

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script of its target in the environment"
)]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // musl's targets bring an unwinder of their own.
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|libc| libc == "gnu") {
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}
