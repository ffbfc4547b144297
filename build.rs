//! Links the program to a fixed address where that is known to work; see docs/decisions/0006-fixed-address.md.

#![expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts by variables")]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" && target("ARCH") == "x86_64" {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
