//! The result of a run becomes the exit code; nothing else happens here.

fn main() -> std::process::ExitCode {
    rocade::cli::run(std::env::args_os()).code().into()
}
