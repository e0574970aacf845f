//! bench/peers/rust/channels/channels.rs - Rust's channels as peers of bench/channels.
//!
//! The same loops as channels_loop.h, over the same structs as channels_peer.h.  All libraries
//! share them: `loops!` (loops.rs) takes the types and calls of the module around it.

use std::ffi::{c_char, c_int, c_void};

#[macro_use]
mod loops;
#[cfg(feature = "crossbeam")]
pub mod pool;

// ---- channels_peer.h -------------------------------------------------------------

const LAST: u64 = 1 << 63;
const BATCH: u64 = 32;

#[repr(C)]
pub struct Share {
    capacity: i64,
    channels: i64,
    count: i64,
    from: u64,
    work: u32,
    pause: u32,
    interval: i64,
    waits: *mut i64,
    done: i64,
    sum: u64,
    clock: i64,
    bytes: i64,
    do_work: unsafe extern "C" fn(u64, u32) -> u64,
    now: unsafe extern "C" fn() -> i64,
    cpu_time: unsafe extern "C" fn() -> i64,
    memory: unsafe extern "C" fn() -> i64,
    sleep: unsafe extern "C" fn(u32),
}

type End = *mut c_void;
type Create = unsafe extern "C" fn(i64, c_int, *mut End, *mut End);
type CloneEnd = unsafe extern "C" fn(End) -> End;
type CloseEnd = unsafe extern "C" fn(End);
type One = unsafe extern "C" fn(End, *mut Share);
type Both = unsafe extern "C" fn(End, End, *mut Share);
type Alone = unsafe extern "C" fn(*mut Share);

#[repr(C)]
pub struct Loops {
    create: Option<Create>,
    clone_sender: Option<CloneEnd>,
    clone_receiver: Option<CloneEnd>,
    close_sender: Option<CloseEnd>,
    close_receiver: Option<CloseEnd>,
    send: Option<One>,
    recv: Option<One>,
    recv_all: Option<One>,
    send_batch: Option<One>,
    recv_batch: Option<One>,
    own: Option<Both>,
    own_batch: Option<Both>,
    ping: Option<Both>,
    pong: Option<Both>,
    send_bursts: Option<One>,
    recv_bursts: Option<One>,
    recv_slowly: Option<One>,
    send_seldom: Option<One>,
    send_stream: Option<One>,
    recv_stream: Option<One>,
    send_in_turn: Option<One>,
    recv_select: Option<One>,
    many: Option<Alone>,
    churn: Option<Alone>,
}

/// Of one kind, for the three sizes.
type Sizes = [*const Loops; 3];

#[repr(C)]
pub struct Peer {
    name: *const c_char,
    version: Option<unsafe extern "C" fn() -> *const c_char>,
    cases: *const c_char,
    /// unbounded, bounded, rendezvous
    loops: [Sizes; 3],
}

/// Nothing in it changes.
unsafe impl Sync for Peer {}

const fn peer(name: &'static [u8], unbounded: Sizes, bounded: Sizes, rendezvous: Sizes) -> Peer {
    Peer {
        name: name.as_ptr().cast(),
        version: None,
        cases: std::ptr::null(),
        loops: [unbounded, bounded, rendezvous],
    }
}

// ---- messages --------------------------------------------------------------------

type Message<const N: usize> = [u64; N];

/// The compiler does not know what is in it from here on, so it has to be in memory.
#[inline(always)]
fn in_memory<const N: usize>(message: &mut Message<N>) {
    if N > 1 {
        unsafe {
            std::arch::asm!("/* {0} */", in(reg) message, options(nostack, preserves_flags));
        }
    }
}

#[inline(always)]
fn put<const N: usize>(message: &mut Message<N>, serial: u64) {
    message[0] = serial;
    message[N - 1] = serial;
    in_memory(message);
}

/// The serial, twice.
#[inline(always)]
fn get<const N: usize>(message: &mut Message<N>) -> u64 {
    in_memory(message);
    message[0].wrapping_add(message[N - 1])
}

// ---- ends ------------------------------------------------------------------------

fn handed_out<T>(end: T) -> End {
    Box::into_raw(Box::new(end)).cast()
}

unsafe fn end<'a, T>(end: End) -> &'a T {
    &*end.cast::<T>()
}

unsafe fn taken_back<T>(end: End) -> T {
    *Box::from_raw(end.cast::<T>())
}

// ---- the libraries ---------------------------------------------------------------

/// std has types of its own for channels with a bound.
mod std_unbounded {
    use std::sync::mpsc;
    pub use std::sync::mpsc::{Receiver, Sender};

    pub fn channel<T>(_capacity: i64) -> (Sender<T>, Receiver<T>) {
        mpsc::channel()
    }

    loops!();
}

mod std_bounded {
    use std::sync::mpsc;
    pub use std::sync::mpsc::{Receiver, SyncSender as Sender};

    pub fn channel<T>(capacity: i64) -> (Sender<T>, Receiver<T>) {
        mpsc::sync_channel(capacity as usize)
    }

    loops!();
}

#[no_mangle]
#[allow(non_upper_case_globals)]
pub static channels_peer_rust: Peer = peer(
    b"rust\0",
    std_unbounded::SIZES,
    std_bounded::SIZES,
    std_bounded::SIZES,
);

#[cfg(feature = "crossbeam")]
mod with_crossbeam {
    pub use crossbeam_channel::{Receiver, Sender};

    pub fn channel<T>(capacity: i64) -> (Sender<T>, Receiver<T>) {
        match usize::try_from(capacity) {
            Ok(capacity) => crossbeam_channel::bounded(capacity),
            Err(_) => crossbeam_channel::unbounded(),
        }
    }

    loops!(many receivers, select);

    /// Receive by select, of any of the channels.
    unsafe extern "C" fn recv_select<const N: usize>(receivers: End, share: *mut Share) {
        let share = &mut *share;
        let ends = std::slice::from_raw_parts(receivers.cast::<End>(), share.channels as usize);
        let receivers: Vec<&Receiver<Message<N>>> = ends.iter().map(|&at| end(at)).collect();
        let mut select = crossbeam_channel::Select::new();
        for receiver in &receivers {
            select.recv(receiver);
        }
        let mut sum = 0u64;
        for _ in 0..share.count {
            let operation = select.select();
            let receiver = receivers[operation.index()];
            sum = sum.wrapping_add(get(&mut operation.recv(receiver).unwrap()));
        }
        share.sum = sum;
        share.done = share.count;
    }

    #[no_mangle]
    #[allow(non_upper_case_globals)]
    pub static channels_peer_crossbeam: Peer = peer(b"crossbeam\0", SIZES, SIZES, SIZES);
}

#[cfg(feature = "flume")]
mod with_flume {
    pub use flume::{Receiver, Sender};

    pub fn channel<T>(capacity: i64) -> (Sender<T>, Receiver<T>) {
        match usize::try_from(capacity) {
            Ok(capacity) => flume::bounded(capacity),
            Err(_) => flume::unbounded(),
        }
    }

    loops!(many receivers);

    #[no_mangle]
    #[allow(non_upper_case_globals)]
    pub static channels_peer_flume: Peer = peer(b"flume\0", SIZES, SIZES, SIZES);
}
