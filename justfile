# The recipes of this project. CI calls .ci/run, which does the same without just.

# List the recipes
default:
    @just --list

# Formatting, lints, documentation
check:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items

# All tests
test:
    cargo test

# Write completions, man pages and the pictures of the README anew
generate:
    UPDATE_GENERATED=1 cargo test --test it -- generated pictures

# A static binary that runs on every Linux of this architecture
static:
    rustup target add x86_64-unknown-linux-musl
    cargo build --release --target x86_64-unknown-linux-musl

# Does it still compile for Windows?
windows-check:
    rustup target add x86_64-pc-windows-gnu
    cargo check --target x86_64-pc-windows-gnu

# Does it still compile for macOS?
macos-check:
    rustup target add x86_64-apple-darwin
    cargo check --target x86_64-apple-darwin

# Measure against nq, task-spooler and pueue
bench:
    rustup target add x86_64-unknown-linux-musl
    cargo build --release
    cargo build --release --target x86_64-unknown-linux-musl
    bench/run

# Licences, advisories, sources of what we depend on
deny:
    cargo deny check

# What CI does
ci:
    .ci/run
