//! bench/peers/rust/ipc/ipc.rs - std as a subject of bench/ipc: UnixStream, TcpStream, io::pipe, File::lock.
//!
//! Sockets wait for a minute at most; pipes and locks of files have no deadline in std.

use std::ffi::{c_char, c_int, c_void, CStr};
use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

// ---- ipc_peer.h ------------------------------------------------------------------

type Open = unsafe extern "C" fn(usize) -> *mut c_void;
type Join = unsafe extern "C" fn(*mut c_void, c_int);
type Send = unsafe extern "C" fn(*mut c_void, c_int, *const u8, usize);
type Recv = unsafe extern "C" fn(*mut c_void, c_int, *mut u8, usize);
type Pair = unsafe extern "C" fn(*mut c_void, i64);

#[repr(C)]
pub struct Way {
    name: *const c_char,
    largest: usize,
    open: Option<Open>,
    join: Option<Join>,
    send: Option<Send>,
    recv: Option<Recv>,
    close: Option<Join>,
    pair: Option<Pair>,
    why_not_larger: *const c_char,
}

#[repr(C)]
pub struct Peer {
    name: *const c_char,
    version: Option<unsafe extern "C" fn() -> *const c_char>,
    ways: *const Way,
    count: usize,
    more: *const Peer,
}

/// Nothing in it changes.
unsafe impl Sync for Peer {}
unsafe impl Sync for Way {}

unsafe extern "C" {
    fn ipc_name(which: *const c_char) -> *const c_char;
}

// ---- sockets ------------------------------------------------------------------------

struct Sockets<S>([Option<S>; 2]);

unsafe extern "C" fn stream_open(_size: usize) -> *mut c_void {
    let (one, other) = UnixStream::pair().unwrap();
    for socket in [&one, &other] {
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        socket.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
    }
    Box::into_raw(Box::new(Sockets([Some(one), Some(other)]))).cast()
}

unsafe extern "C" fn tcp_open(_size: usize) -> *mut c_void {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (other, _) = listener.accept().unwrap();
    for socket in [&one, &other] {
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        socket.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
    }
    Box::into_raw(Box::new(Sockets([Some(one), Some(other)]))).cast()
}

unsafe extern "C" fn socket_join<S>(channel: *mut c_void, side: c_int) {
    unsafe { (*channel.cast::<Sockets<S>>()).0[1 - side as usize] = None };
}

unsafe extern "C" fn socket_send<S: Write>(
    channel: *mut c_void,
    side: c_int,
    data: *const u8,
    size: usize,
) {
    let sockets = unsafe { &mut (*channel.cast::<Sockets<S>>()).0 };
    let data = unsafe { std::slice::from_raw_parts(data, size) };
    sockets[side as usize].as_mut().unwrap().write_all(data).unwrap();
}

unsafe extern "C" fn socket_recv<S: Read>(
    channel: *mut c_void,
    side: c_int,
    buffer: *mut u8,
    size: usize,
) {
    let sockets = unsafe { &mut (*channel.cast::<Sockets<S>>()).0 };
    let buffer = unsafe { std::slice::from_raw_parts_mut(buffer, size) };
    sockets[side as usize].as_mut().unwrap().read_exact(buffer).unwrap();
}

unsafe extern "C" fn socket_close<S>(channel: *mut c_void, _side: c_int) {
    drop(unsafe { Box::from_raw(channel.cast::<Sockets<S>>()) });
}

const fn socket_way<S: Read + Write>(name: &'static CStr, open: Open) -> Way {
    Way {
        name: name.as_ptr(),
        largest: 0,
        open: Some(open),
        join: Some(socket_join::<S>),
        send: Some(socket_send::<S>),
        recv: Some(socket_recv::<S>),
        close: Some(socket_close::<S>),
        pair: None,
        why_not_larger: std::ptr::null(),
    }
}

// ---- pipes ---------------------------------------------------------------------------

/// By the side that has them.
struct Pipes([Option<PipeReader>; 2], [Option<PipeWriter>; 2]);

unsafe extern "C" fn pipe_open(_size: usize) -> *mut c_void {
    let (back, from_other) = std::io::pipe().unwrap();
    let (there, from_one) = std::io::pipe().unwrap();
    Box::into_raw(Box::new(Pipes([Some(back), Some(there)], [Some(from_one), Some(from_other)])))
        .cast()
}

unsafe extern "C" fn pipe_join(channel: *mut c_void, side: c_int) {
    let pipes = unsafe { &mut *channel.cast::<Pipes>() };
    pipes.0[1 - side as usize] = None;
    pipes.1[1 - side as usize] = None;
}

unsafe extern "C" fn pipe_send(channel: *mut c_void, side: c_int, data: *const u8, size: usize) {
    let pipes = unsafe { &mut *channel.cast::<Pipes>() };
    let data = unsafe { std::slice::from_raw_parts(data, size) };
    pipes.1[side as usize].as_mut().unwrap().write_all(data).unwrap();
}

unsafe extern "C" fn pipe_recv(channel: *mut c_void, side: c_int, buffer: *mut u8, size: usize) {
    let pipes = unsafe { &mut *channel.cast::<Pipes>() };
    let buffer = unsafe { std::slice::from_raw_parts_mut(buffer, size) };
    pipes.0[side as usize].as_mut().unwrap().read_exact(buffer).unwrap();
}

unsafe extern "C" fn pipe_close(channel: *mut c_void, _side: c_int) {
    drop(unsafe { Box::from_raw(channel.cast::<Pipes>()) });
}

// ---- locks of files ---------------------------------------------------------------------

unsafe extern "C" fn file_open(_size: usize) -> *mut c_void {
    let name = unsafe { CStr::from_ptr(ipc_name(c"rust-lock".as_ptr())) };
    let path = std::env::temp_dir().join(name.to_str().unwrap());
    let file = File::create(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    Box::into_raw(Box::new(file)).cast()
}

unsafe extern "C" fn file_pair(object: *mut c_void, count: i64) {
    let file = unsafe { &*object.cast::<File>() };
    for _ in 0..count {
        file.lock().unwrap();
        file.unlock().unwrap();
    }
}

unsafe extern "C" fn file_close(object: *mut c_void, _side: c_int) {
    drop(unsafe { Box::from_raw(object.cast::<File>()) });
}

const WAYS: usize = 4;

static ALL: [Way; WAYS] = [
    socket_way::<UnixStream>(c"stream", stream_open),
    socket_way::<TcpStream>(c"tcp", tcp_open),
    Way {
        name: c"pipe".as_ptr(),
        largest: 0,
        open: Some(pipe_open),
        join: Some(pipe_join),
        send: Some(pipe_send),
        recv: Some(pipe_recv),
        close: Some(pipe_close),
        pair: None,
        why_not_larger: std::ptr::null(),
    },
    Way {
        name: c"file_lock".as_ptr(),
        largest: 0,
        open: Some(file_open),
        join: None,
        send: None,
        recv: None,
        close: Some(file_close),
        pair: Some(file_pair),
        why_not_larger: std::ptr::null(),
    },
];

#[unsafe(no_mangle)]
pub static ipc_peer_rust: Peer = Peer {
    name: c"rust".as_ptr(),
    version: None,
    ways: &raw const ALL[0],
    count: WAYS,
    more: std::ptr::null(),
};
