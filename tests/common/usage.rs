// SPDX-License-Identifier: MPL-2.0
//! Memory, threads and open files of this process, for tests of leaks.

#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Resident memory in KiB.
    pub resident: u64,
    pub threads: u64,
    pub files: u64,
}

impl Usage {
    pub fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
        let number = |key: &str| {
            let line = status.lines().find(|line| line.starts_with(key));
            let number = line.and_then(|line| line.split_whitespace().nth(1));
            number.and_then(|number| number.parse().ok()).expect(key)
        };
        let files = std::fs::read_dir("/proc/self/fd").expect("Linux").count();
        Self {
            resident: number("VmRSS:"),
            threads: number("Threads:"),
            files: files as u64,
        }
    }
}
