// SPDX-License-Identifier: MPL-2.0
//! The sessions of one model: its own, or a few that all models of the same file share.
//!
//! A session runs one inference at a time. Streams wait for one first come, first served, so that none starves.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::time::SystemTime;

use super::options::SessionOptions;
use super::provider::ExecutionProvider;
use super::session::Session;
use super::signature::Signature;
use crate::sync::{lock, wait};

pub(super) struct Loaded {
    pub session: Session,
    pub signature: Signature,
    pub provider: ExecutionProvider,
}

#[derive(Debug)]
pub(super) struct Pool {
    pub signature: Signature,
    pub provider: ExecutionProvider,
    line: Mutex<Line>,
    moved: Condvar,
}

#[derive(Debug)]
struct Line {
    idle: Vec<Session>,
    sessions: usize,
    /// Number of the next request.
    last: u64,
    /// Number of the next request to be served.
    first: u64,
}

/// A session on loan; it goes back when dropped.
pub(super) struct Lent<'a> {
    pool: &'a Pool,
    session: Option<Session>,
}

impl Lent<'_> {
    pub fn session(&mut self) -> Option<&mut Session> {
        self.session.as_mut()
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            lock(&self.pool.line).idle.push(session);
            self.pool.moved.notify_all();
        }
    }
}

impl Pool {
    pub fn new(loaded: Loaded) -> Self {
        Self {
            signature: loaded.signature,
            provider: loaded.provider,
            line: Mutex::new(Line {
                idle: vec![loaded.session],
                sessions: 1,
                last: 0,
                first: 0,
            }),
            moved: Condvar::new(),
        }
    }

    fn add(&self, session: Session) {
        let mut line = lock(&self.line);
        line.sessions += 1;
        line.idle.push(session);
        // So that returning the last session never allocates.
        let sessions = line.sessions;
        line.idle.reserve(sessions);
        self.moved.notify_all();
    }

    pub fn lend(&self) -> Lent<'_> {
        let mut line = lock(&self.line);
        let number = line.last;
        line.last += 1;
        while line.first != number || line.idle.is_empty() {
            line = wait(&self.moved, line);
        }
        line.first += 1;
        let session = line.idle.pop();
        if line.first != line.last && !line.idle.is_empty() {
            self.moved.notify_all();
        }
        Lent {
            pool: self,
            session,
        }
    }
}

/// Sessions with equal keys are interchangeable.
#[derive(Debug, PartialEq)]
struct Key {
    file: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
    options: SessionOptions,
}

static SHARED: Mutex<Vec<(Key, Weak<Pool>)>> = Mutex::new(Vec::new());

/// The pool that all models of this file and with these options share. Each user adds a session, by `load`,
/// until their threads use all cores of the machine.
pub(super) fn shared<E>(
    file: &Path,
    options: &SessionOptions,
    load: impl FnOnce() -> Result<Loaded, E>,
) -> Result<Arc<Pool>, E> {
    let metadata = file.metadata().ok();
    let key = Key {
        file: file.canonicalize().unwrap_or_else(|_| file.to_path_buf()),
        length: metadata.as_ref().map_or(0, std::fs::Metadata::len),
        modified: metadata.and_then(|metadata| metadata.modified().ok()),
        options: options.clone(),
    };
    // Held while loading: a second model of the same file must find the pool of the first.
    let mut pools = lock(&SHARED);
    pools.retain(|(_, pool)| pool.strong_count() > 0);
    let found = pools.iter().find(|(other, _)| *other == key);
    if let Some(pool) = found.and_then(|(_, pool)| pool.upgrade()) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        if lock(&pool.line).sessions < (cores / options.threads()).max(1) {
            pool.add(load()?.session);
        }
        return Ok(pool);
    }
    let pool = Arc::new(Pool::new(load()?));
    pools.push((key, Arc::downgrade(&pool)));
    Ok(pool)
}
