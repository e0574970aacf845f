// bench/peers/rust/sysinfo.rs - the process table by the crate sysinfo.
use std::sync::Mutex;
use sysinfo::{Pid, PidExt, Process, ProcessExt, ProcessRefreshKind, System, SystemExt};

#[repr(C)]
pub struct Seen {
    processes: i64,
    parents: i64,
    threads: i64,
    users: i64,
    command_bytes: i64,
    others: i64,
}

static KEPT: Mutex<Option<System>> = Mutex::new(None);

fn with_system<T>(kept: i32, look: impl FnOnce(&mut System) -> T) -> T {
    if kept == 0 {
        return look(&mut System::new());
    }
    look(KEPT.lock().unwrap().get_or_insert_with(System::new))
}

fn see(process: &Process, more: bool, seen: &mut Seen) {
    seen.processes += 1;
    seen.parents += process.parent().map_or(0, |p| p.as_u32() as i64);
    seen.threads += 1 + process.tasks.len() as i64;
    seen.others += process.memory() as i64 + process.start_time() as i64;
    seen.others += process.name().len() as i64 + process.run_time() as i64;
    if more {
        seen.users += process.user_id().map_or(0, |u| **u as i64);
        seen.command_bytes += process.cmd().iter().map(|a| a.len() as i64 + 1).sum::<i64>();
        seen.others += process.exe().as_os_str().len() as i64;
    }
}

fn kind(more: i32) -> ProcessRefreshKind {
    let kind = ProcessRefreshKind::new().with_cpu();
    if more == 0 { kind } else { kind.with_user() }
}

#[no_mangle]
pub extern "C" fn bench_sysinfo_scan(kept: i32, more: i32, seen: &mut Seen) -> i32 {
    with_system(kept, |system| {
        system.refresh_processes_specifics(kind(more));
        for process in system.processes().values() {
            see(process, more != 0, seen);
        }
        0
    })
}

#[no_mangle]
pub extern "C" fn bench_sysinfo_one(kept: i32, pid: i64, more: i32, seen: &mut Seen) -> i32 {
    with_system(kept, |system| {
        let pid = Pid::from_u32(pid as u32);
        if !system.refresh_process_specifics(pid, kind(more)) {
            return -1;
        }
        match system.process(pid) {
            Some(process) => {
                see(process, more != 0, seen);
                0
            }
            None => -1,
        }
    })
}

#[no_mangle]
pub extern "C" fn bench_sysinfo_drop() {
    *KEPT.lock().unwrap() = None;
}
