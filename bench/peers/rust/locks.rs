//! bench/peers/rust/locks.rs - std::sync and parking_lot as peers of bench/locks.
//!
//! The same loops as locks_loop.h, over the same structs as locks_peer.h.  Both
//! libraries share them: `loops!` takes the types and calls of the module around it.

use std::ffi::{c_char, c_int, c_void};
use std::mem::size_of;
use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering::Relaxed;

// ---- locks_peer.h --------------------------------------------------------------

const HOLD_US: c_int = 200;

type Pause = Option<unsafe extern "C" fn(c_int)>;

#[repr(C)]
pub struct Share {
    stop: *const AtomicI32,
    work: u32,
    hold: u32,
    writes: u32,
    random: u64,
    done: u64,
    wrote: u64,
    longest: i64,
    do_work: unsafe extern "C" fn(u64, u32) -> u64,
    now: unsafe extern "C" fn() -> i64,
}

#[repr(C)]
pub struct Noun {
    size: usize,
    create: Option<unsafe extern "C" fn(c_int) -> *mut c_void>,
    destroy: Option<unsafe extern "C" fn(*mut c_void) -> u64>,
    pair: [Option<unsafe extern "C" fn(*mut c_void, i64)>; 2],
    contend: Option<unsafe extern "C" fn(*mut c_void, *mut Share)>,
    crowd: Option<unsafe extern "C" fn(*mut c_void, *mut Share)>,
    meet: Option<unsafe extern "C" fn(*mut c_void, c_int, i64, Pause)>,
}

const NONE: Noun = Noun {
    size: 0,
    create: None,
    destroy: None,
    pair: [None, None],
    contend: None,
    crowd: None,
    meet: None,
};

#[repr(C)]
pub struct Peer {
    name: *const c_char,
    version: Option<unsafe extern "C" fn() -> *const c_char>,
    /// mutex, rwlock, condvar, semaphore, park, barrier, broadcast, once
    nouns: [Noun; 8],
}

/// Nothing in it changes.
unsafe impl Sync for Peer {}

fn step(mut random: u64) -> u64 {
    random ^= random << 13;
    random ^= random >> 7;
    random ^ random << 17
}

unsafe fn pause_for(pause: Pause, microseconds: c_int) {
    if let Some(pause) = pause {
        pause(microseconds)
    }
}

/// In cache lines of its own.
#[repr(align(128))]
struct Aligned<T>(T);

fn handed_out<T>(object: T) -> *mut c_void {
    Box::into_raw(Box::new(Aligned(object))).cast()
}

unsafe fn object<'a, T>(object: *mut c_void) -> &'a T {
    &(*object.cast::<Aligned<T>>()).0
}

unsafe fn taken_back<T>(object: *mut c_void) -> T {
    Box::from_raw(object.cast::<Aligned<T>>()).0
}

// ---- mutex, rwlock, condvar ------------------------------------------------------

/// Wants Mutex, RwLock, Condvar, Once, and `held`, which makes a guard of what a call
/// returned, and `wait`.
macro_rules! loops {
    () => {
        use super::*;

        // Mutex: the value is inside.

        unsafe extern "C" fn mutex_create(_threads: c_int) -> *mut c_void {
            handed_out(Mutex::new(0u64))
        }

        unsafe extern "C" fn mutex_destroy(o: *mut c_void) -> u64 {
            let value = *held(taken_back::<Mutex<u64>>(o).lock());
            value
        }

        unsafe extern "C" fn mutex_pair(o: *mut c_void, count: i64) {
            let lock = object::<Mutex<u64>>(o);
            for _ in 0..count {
                drop(held(lock.lock()));
            }
        }

        unsafe extern "C" fn mutex_contend(o: *mut c_void, share: *mut Share) {
            let (lock, share) = (object::<Mutex<u64>>(o), &mut *share);
            let mut random = share.random;
            let mut done = 0;
            while (*share.stop).load(Relaxed) == 0 {
                *held(lock.lock()) += 1;
                done += 1;
                if share.work > 0 {
                    random = (share.do_work)(random, share.work);
                }
            }
            share.random = random;
            share.done = done;
            share.wrote = done;
        }

        unsafe extern "C" fn mutex_crowd(o: *mut c_void, share: *mut Share) {
            let (lock, share) = (object::<Mutex<u64>>(o), &mut *share);
            let (mut random, mut done, mut longest) = (share.random, 0, 0);
            while (*share.stop).load(Relaxed) == 0 {
                let begin = (share.now)();
                let mut value = held(lock.lock());
                let waited = (share.now)() - begin;
                *value += 1;
                random = (share.do_work)(random, share.hold);
                drop(value);
                longest = waited.max(longest);
                done += 1;
            }
            share.random = random;
            share.done = done;
            share.wrote = done;
            share.longest = longest;
        }

        unsafe extern "C" fn mutex_meet(o: *mut c_void, _index: c_int, count: i64, pause: Pause) {
            let lock = object::<Mutex<u64>>(o);
            for _ in 0..count {
                let mut value = held(lock.lock());
                *value += 1;
                pause_for(pause, HOLD_US);
                drop(value);
                pause_for(pause, HOLD_US / 2);
            }
        }

        const MUTEX: Noun = Noun {
            size: size_of::<Mutex<()>>(),
            create: Some(mutex_create),
            destroy: Some(mutex_destroy),
            pair: [Some(mutex_pair), None],
            contend: Some(mutex_contend),
            crowd: Some(mutex_crowd),
            meet: Some(mutex_meet),
        };

        // Rwlock.

        unsafe extern "C" fn rwlock_create(_threads: c_int) -> *mut c_void {
            handed_out(RwLock::new(0u64))
        }

        unsafe extern "C" fn rwlock_destroy(o: *mut c_void) -> u64 {
            let value = *held(taken_back::<RwLock<u64>>(o).read());
            value
        }

        unsafe extern "C" fn rwlock_pair_read(o: *mut c_void, count: i64) {
            let lock = object::<RwLock<u64>>(o);
            for _ in 0..count {
                drop(held(lock.read()));
            }
        }

        unsafe extern "C" fn rwlock_pair_write(o: *mut c_void, count: i64) {
            let lock = object::<RwLock<u64>>(o);
            for _ in 0..count {
                drop(held(lock.write()));
            }
        }

        unsafe extern "C" fn rwlock_contend(o: *mut c_void, share: *mut Share) {
            let (lock, share) = (object::<RwLock<u64>>(o), &mut *share);
            let mut random = share.random;
            let (mut done, mut wrote, mut seen) = (0, 0, 0u64);
            while (*share.stop).load(Relaxed) == 0 {
                random = step(random);
                if ((random >> 32) as u32) < share.writes {
                    *held(lock.write()) += 1;
                    wrote += 1;
                } else {
                    seen = seen.wrapping_add(*held(lock.read()));
                }
                done += 1;
            }
            share.random = random.wrapping_add(seen);
            share.done = done;
            share.wrote = wrote;
        }

        unsafe extern "C" fn rwlock_meet(o: *mut c_void, _index: c_int, count: i64, pause: Pause) {
            let lock = object::<RwLock<u64>>(o);
            for _ in 0..count {
                let mut value = held(lock.write());
                *value += 1;
                pause_for(pause, HOLD_US);
                drop(value);
                pause_for(pause, HOLD_US / 2);
            }
        }

        const RWLOCK: Noun = Noun {
            size: size_of::<RwLock<()>>(),
            create: Some(rwlock_create),
            destroy: Some(rwlock_destroy),
            pair: [Some(rwlock_pair_read), Some(rwlock_pair_write)],
            contend: Some(rwlock_contend),
            crowd: None,
            meet: Some(rwlock_meet),
        };

        // Condvar.

        struct Turn {
            turn: usize,
            value: u64,
        }

        struct Turns {
            lock: Mutex<Turn>,
            changed: [Condvar; 2],
        }

        unsafe extern "C" fn condvar_create(_threads: c_int) -> *mut c_void {
            handed_out(Turns {
                lock: Mutex::new(Turn { turn: 0, value: 0 }),
                changed: [Condvar::new(), Condvar::new()],
            })
        }

        unsafe extern "C" fn condvar_destroy(o: *mut c_void) -> u64 {
            let turns = taken_back::<Turns>(o);
            let value = held(turns.lock.lock()).value;
            value
        }

        unsafe extern "C" fn condvar_pair_one(o: *mut c_void, count: i64) {
            let turns = object::<Turns>(o);
            for _ in 0..count {
                turns.changed[0].notify_one();
            }
        }

        unsafe extern "C" fn condvar_pair_all(o: *mut c_void, count: i64) {
            let turns = object::<Turns>(o);
            for _ in 0..count {
                turns.changed[0].notify_all();
            }
        }

        unsafe extern "C" fn condvar_meet(o: *mut c_void, index: c_int, count: i64, pause: Pause) {
            let turns = object::<Turns>(o);
            let (me, other) = (index as usize, 1 - index as usize);
            for _ in 0..count {
                let mut now = held(turns.lock.lock());
                while now.turn != me {
                    now = wait(&turns.changed[me], now);
                }
                if pause.is_some() && me == 0 {
                    drop(now);
                    pause_for(pause, HOLD_US);
                    now = held(turns.lock.lock());
                }
                now.turn = other;
                now.value += 1;
                turns.changed[other].notify_one();
            }
        }

        const CONDVAR: Noun = Noun {
            size: size_of::<Condvar>(),
            create: Some(condvar_create),
            destroy: Some(condvar_destroy),
            pair: [Some(condvar_pair_one), Some(condvar_pair_all)],
            meet: Some(condvar_meet),
            ..NONE
        };

        // Broadcast.

        struct Round {
            waiting: c_int,
            rounds: u64,
        }

        struct Broadcast {
            lock: Mutex<Round>,
            has_begun: Condvar,
            is_full: Condvar,
            others: c_int,
        }

        unsafe extern "C" fn broadcast_create(threads: c_int) -> *mut c_void {
            handed_out(Broadcast {
                lock: Mutex::new(Round { waiting: 0, rounds: 0 }),
                has_begun: Condvar::new(),
                is_full: Condvar::new(),
                others: threads - 1,
            })
        }

        unsafe extern "C" fn broadcast_destroy(o: *mut c_void) -> u64 {
            let all = taken_back::<Broadcast>(o);
            let rounds = held(all.lock.lock()).rounds;
            rounds
        }

        unsafe extern "C" fn broadcast_meet(o: *mut c_void, index: c_int, count: i64, _: Pause) {
            let all = object::<Broadcast>(o);
            let mut now = held(all.lock.lock());
            for round in 1..=count as u64 {
                if index == 0 {
                    while now.waiting < all.others {
                        now = wait(&all.is_full, now);
                    }
                    now.waiting = 0;
                    now.rounds = round;
                    all.has_begun.notify_all();
                    continue;
                }
                now.waiting += 1;
                if now.waiting == all.others {
                    all.is_full.notify_one();
                }
                while now.rounds < round {
                    now = wait(&all.has_begun, now);
                }
            }
        }

        const BROADCAST: Noun = Noun {
            create: Some(broadcast_create),
            destroy: Some(broadcast_destroy),
            meet: Some(broadcast_meet),
            ..NONE
        };

        const ONCE: Noun = Noun {
            size: size_of::<Once>(),
            ..NONE
        };
    };
}

mod with_std {
    use std::cell::UnsafeCell;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::{Acquire, Release};
    use std::sync::{Barrier, Condvar, LockResult, Mutex, MutexGuard, Once, OnceLock, RwLock};
    use std::thread::{self, Thread};

    fn held<G>(result: LockResult<G>) -> G {
        result.unwrap()
    }

    fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        condvar.wait(guard).unwrap()
    }

    loops!();

    // Park: std alone has it.

    struct Parkers {
        parker: [OnceLock<Thread>; 2],
        turn: AtomicUsize,
        value: UnsafeCell<u64>, // of who has the turn
    }

    unsafe extern "C" fn park_create(_threads: c_int) -> *mut c_void {
        handed_out(Parkers {
            parker: [OnceLock::new(), OnceLock::new()],
            turn: AtomicUsize::new(0),
            value: UnsafeCell::new(0),
        })
    }

    unsafe extern "C" fn park_destroy(o: *mut c_void) -> u64 {
        taken_back::<Parkers>(o).value.into_inner()
    }

    unsafe extern "C" fn park_meet(o: *mut c_void, index: c_int, count: i64, pause: Pause) {
        let parkers = object::<Parkers>(o);
        let (me, other) = (index as usize, 1 - index as usize);
        let _ = parkers.parker[me].set(thread::current());
        let other_parker = loop {
            match parkers.parker[other].get() {
                Some(parker) => break parker,
                None => thread::yield_now(),
            }
        };

        for _ in 0..count {
            while parkers.turn.load(Acquire) != me {
                thread::park();
            }
            *parkers.value.get() += 1;
            if me == 0 {
                pause_for(pause, HOLD_US);
            }
            parkers.turn.store(other, Release);
            other_parker.unpark();
        }
    }

    // Barrier.

    struct Rounds {
        barrier: Barrier,
        value: UnsafeCell<u64>, // of the leader of a round
    }

    unsafe extern "C" fn barrier_create(threads: c_int) -> *mut c_void {
        handed_out(Rounds {
            barrier: Barrier::new(threads as usize),
            value: UnsafeCell::new(0),
        })
    }

    unsafe extern "C" fn barrier_destroy(o: *mut c_void) -> u64 {
        taken_back::<Rounds>(o).value.into_inner()
    }

    unsafe extern "C" fn barrier_meet(o: *mut c_void, index: c_int, count: i64, pause: Pause) {
        let rounds = object::<Rounds>(o);
        for _ in 0..count {
            if index == 0 {
                pause_for(pause, HOLD_US);
            }
            if rounds.barrier.wait().is_leader() {
                *rounds.value.get() += 1;
            }
        }
    }

    #[no_mangle]
    #[allow(non_upper_case_globals)]
    pub static locks_peer_rust: Peer = Peer {
        name: b"rust\0".as_ptr().cast(),
        version: None,
        nouns: [
            MUTEX,
            RWLOCK,
            CONDVAR,
            NONE,
            Noun {
                create: Some(park_create),
                destroy: Some(park_destroy),
                meet: Some(park_meet),
                ..NONE
            },
            Noun {
                size: size_of::<Barrier>(),
                create: Some(barrier_create),
                destroy: Some(barrier_destroy),
                meet: Some(barrier_meet),
                ..NONE
            },
            BROADCAST,
            ONCE,
        ],
    };
}

#[cfg(feature = "parking_lot")]
mod with_parking_lot {
    use parking_lot::{Condvar, Mutex, MutexGuard, Once, RwLock};

    fn held<G>(guard: G) -> G {
        guard
    }

    fn wait<'a, T>(condvar: &Condvar, mut guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        condvar.wait(&mut guard);
        guard
    }

    loops!();

    #[no_mangle]
    #[allow(non_upper_case_globals)]
    pub static locks_peer_parking_lot: Peer = Peer {
        name: b"parking_lot\0".as_ptr().cast(),
        version: None,
        nouns: [MUTEX, RWLOCK, CONDVAR, NONE, NONE, NONE, BROADCAST, ONCE],
    };
}
