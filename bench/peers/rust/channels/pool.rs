//! bench/peers/rust/channels/pool.rs - threads behind an unbounded crossbeam channel, for bench/pool.

use std::ffi::{c_char, c_int, c_void};
use std::thread::{spawn, JoinHandle};

use crossbeam_channel::{bounded, unbounded, Receiver, Sender};

type Job = unsafe extern "C" fn(*mut u64);

struct Message {
    job: Job,
    slot: usize,
    reply: Option<Sender<()>>,
}

struct Pool {
    sender: Sender<Message>,
    threads: Vec<JoinHandle<()>>,
}

fn serve(receiver: Receiver<Message>) {
    for message in receiver {
        unsafe { (message.job)(message.slot as *mut u64) };
        if let Some(reply) = message.reply {
            reply.send(()).unwrap();
        }
    }
}

unsafe extern "C" fn create(threads: c_int) -> *mut c_void {
    let (sender, receiver) = unbounded();
    let threads = (0..threads)
        .map(|_| {
            let receiver = receiver.clone();
            spawn(move || serve(receiver))
        })
        .collect();
    Box::into_raw(Box::new(Pool { sender, threads })) as *mut c_void
}

unsafe extern "C" fn submit(pool: *mut c_void, job: Job, slots: *mut u64, count: i64) {
    let pool = &*(pool as *const Pool);
    for i in 0..count as usize {
        let slot = slots.add(i) as usize;
        pool.sender.send(Message { job, slot, reply: None }).unwrap();
    }
}

unsafe extern "C" fn round_trips(pool: *mut c_void, job: Job, slots: *mut u64, count: i64) {
    let pool = &*(pool as *const Pool);
    for i in 0..count as usize {
        let slot = slots.add(i) as usize;
        let (reply, done) = bounded(1);
        pool.sender.send(Message { job, slot, reply: Some(reply) }).unwrap();
        done.recv().unwrap();
    }
}

unsafe extern "C" fn finish(pool: *mut c_void) {
    let pool = *Box::from_raw(pool as *mut Pool);
    drop(pool.sender);
    for thread in pool.threads {
        thread.join().unwrap();
    }
}

#[repr(C)]
pub struct Peer {
    name: *const c_char,
    version: Option<unsafe extern "C" fn() -> *const c_char>,
    create: unsafe extern "C" fn(c_int) -> *mut c_void,
    submit: unsafe extern "C" fn(*mut c_void, Job, *mut u64, i64),
    round_trips: unsafe extern "C" fn(*mut c_void, Job, *mut u64, i64),
    finish: unsafe extern "C" fn(*mut c_void),
}
unsafe impl Sync for Peer {}

#[no_mangle]
pub static pool_peer_crossbeam: Peer = Peer {
    name: c"crossbeam".as_ptr(),
    version: None,
    create,
    submit,
    round_trips,
    finish,
};
