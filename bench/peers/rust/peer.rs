//! bench/peers/rust/peer.rs - std::process::Command with a C interface (peer_rust.c).
//!
//! In the language of Rust 1.63, which is Debian 12's.

use std::ffi::{CStr, OsStr};
use std::io::{self, Write};
use std::os::raw::{c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Output, Stdio};

extern "C" {
    fn bench_now() -> i64;
}

/// `struct captured` of peer.h.
#[repr(C)]
pub struct Captured {
    data: *const u8,
    size: usize,
    owner: *mut c_void,
}

unsafe fn text<'a>(text: *const c_char) -> &'a OsStr {
    OsStr::from_bytes(CStr::from_ptr(text).to_bytes())
}

fn code(status: ExitStatus) -> c_int {
    status.code().unwrap_or(-1)
}

#[no_mangle]
pub unsafe extern "C" fn bench_rust_spawn_wait(path: *const c_char, started: *mut i64) -> c_int {
    spawn_wait(&mut Command::new(text(path)), started)
}

/// As root std drops the supplementary groups by itself.
#[no_mangle]
pub unsafe extern "C" fn bench_rust_spawn_wait_as(
    path: *const c_char,
    user: u32,
    group: u32,
    started: *mut i64,
) -> c_int {
    spawn_wait(Command::new(text(path)).uid(user).gid(group), started)
}

unsafe fn spawn_wait(command: &mut Command, started: *mut i64) -> c_int {
    let child = command.spawn();
    *started = bench_now();
    match child.and_then(|mut child| child.wait()) {
        Ok(status) => code(status),
        Err(_) => -1,
    }
}

/// As the documentation of std has it: a thread feeds, this one collects.
fn feed_and_capture(command: &mut Command, input: &'static [u8]) -> io::Result<Output> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().expect("it is piped");
    let feeder = std::thread::spawn(move || stdin.write_all(input));
    let output = child.wait_with_output()?;
    feeder.join().expect("it does not panic")?;
    Ok(output)
}

#[no_mangle]
pub unsafe extern "C" fn bench_rust_capture(
    argv: *const *const c_char,
    input: *const u8,
    input_size: usize,
    out: *mut Captured,
) -> c_int {
    let mut command = Command::new(text(*argv));
    let mut next = argv.add(1);
    while !(*next).is_null() {
        command.arg(text(*next));
        next = next.add(1);
    }
    let output = if input_size == 0 {
        command.output()
    } else {
        // The caller keeps it until this returns, and the thread ends before.
        let input: &'static [u8] = std::slice::from_raw_parts(input, input_size);
        feed_and_capture(&mut command, input)
    };
    let output = match output {
        Ok(output) => output,
        Err(_) => return -1,
    };
    let status = output.status;
    let output = Box::new(output);
    *out = Captured {
        data: output.stdout.as_ptr(),
        size: output.stdout.len(),
        owner: Box::into_raw(output).cast(),
    };
    code(status)
}

#[no_mangle]
pub unsafe extern "C" fn bench_rust_release(owner: *mut c_void) {
    drop(Box::from_raw(owner.cast::<Output>()));
}
