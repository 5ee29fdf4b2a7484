// SPDX-License-Identifier: MPL-2.0
//! A camera on this machine: an RTSP server in a process of its own, which shows the demo's clip in a loop and
//! can die, hang and come back, by TCP and by UDP.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use super::toys;

pub struct Server {
    process: Child,
    arguments: Vec<OsString>,
    port: u16,
}

impl Server {
    pub fn start(clip: &Path) -> Self {
        Self::start_with(clip, &[])
    }

    /// Likewise, with arguments of server.py: `--lose-udp` is a firewall.
    pub fn start_with(clip: &Path, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(OsString::from);
        let arguments: Vec<_> = [clip.into()].into_iter().chain(arguments).collect();
        let (process, port) = serve(&arguments, 0);
        Self {
            process,
            arguments,
            port,
        }
    }

    /// The address over TCP, where the result does not depend on the sockets' buffers.
    pub fn uri(&self) -> String {
        self.uri_by("rtspt")
    }

    /// The address over UDP only (`rtspu`), over TCP only (`rtspt`), or over UDP first (`rtsp`).
    pub fn uri_by(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}/stream", self.port)
    }

    /// Dies without closing connections, as when the power fails.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub fn restart(&mut self) {
        (self.process, _) = serve(&self.arguments, self.port);
    }

    /// Hangs: connections stay, but nothing is sent.
    pub fn hang(&self) {
        self.signal("STOP");
    }

    pub fn wake(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let line = format!("kill -{signal} {}", self.process.id());
        let sent = Command::new("sh").args(["-c", &line]).status().unwrap();
        assert!(sent.success(), "{line}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve(arguments: &[OsString], port: u16) -> (Child, u16) {
    let script = super::in_repository("tests/cameras/server.py");
    let mut process = Command::new(super::system_python("GstRtspServer"))
        .arg(script)
        .arg(port.to_string())
        .args(arguments)
        .env_remove("PYTHONPATH")
        .env_remove("GST_DEBUG")
        .env_remove("GST_TRACERS")
        // The server's own warnings do not matter.
        .env_remove("G_DEBUG")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = process.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let port = line.trim().parse();
    (process, port.expect("the server prints its port"))
}

/// The demo's clip in the server's format, as small as a camera's second stream; its key frames are close
/// together, so that a late client does not wait long.
pub fn clip() -> PathBuf {
    encoded("live.h264", &[(640, 360)])
}

/// A clip whose size changes midway, as when a camera's settings are changed.
pub fn changing_clip() -> PathBuf {
    encoded("live_changing.h264", &[(640, 360), (320, 240)])
}

/// The beginning of the clip in each of the sizes, in sequence. Encoded once.
fn encoded(name: &str, sizes: &[(u32, u32)]) -> PathBuf {
    static ENCODING: Mutex<()> = Mutex::new(());
    // The tests of this program run at the same time.
    let _alone = ENCODING.lock();
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if file.is_file() {
        return file;
    }
    let parts = sizes.iter().map(|&size| encode(name, size));
    let bytes: Vec<u8> = parts
        .flat_map(|part| std::fs::read(part).unwrap())
        .collect();
    // Written completely or not at all, also when other test programs encode it as well.
    let new = file.with_extension(std::process::id().to_string());
    std::fs::write(&new, bytes).unwrap();
    std::fs::rename(&new, &file).unwrap();
    file
}

fn encode(name: &str, (width, height): (u32, u32)) -> PathBuf {
    let clip = super::clip();
    let pid = std::process::id();
    let part = format!("{name}.{width}x{height}.{pid}");
    let part = Path::new(env!("CARGO_TARGET_TMPDIR")).join(part);
    let pipeline = toys::launch(&format!(
        "filesrc location={} ! decodebin ! videoconvert ! videorate ! videoscale \
         ! video/x-raw,format=I420,width={width},height={height},framerate=25/1 ! identity eos-after=250 \
         ! x264enc tune=zerolatency speed-preset=veryfast key-int-max=10 bitrate=1500 \
         ! video/x-h264,stream-format=byte-stream,profile=main ! filesink location={}",
        clip.display(),
        part.display()
    ));
    toys::run(&pipeline);
    part
}
