// SPDX-License-Identifier: MPL-2.0
//! What happens before the first frame: loading the models, and choosing how many frames are in flight.

use std::path::PathBuf;

use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;

use super::deadline;
use super::frames::FrameQueue;
use super::imp::{CAT, DmHeadPose, State};
use super::last_result::LastResult;
use super::loaded::Loaded;
use super::metas::MetaWriter;
use super::runtime_log;
use crate::estimator::HeadPoseEstimator;
use crate::estimator::onnx::RuntimeOptions;
use crate::overlay::Overlay;
use crate::sync::lock;
use crate::video;

impl DmHeadPose {
    /// Loads the models. Slow: holds no lock.
    pub(super) fn load(&self) -> Result<(State, Loaded), gst::ErrorMessage> {
        let plugin = self.obj().factory().and_then(|factory| factory.plugin());
        let beside = plugin
            .and_then(|plugin| plugin.filename())
            .and_then(|file| file.parent().map(PathBuf::from));
        let settings = self.settings();
        let runtime = RuntimeOptions {
            library: None,
            beside,
            log: runtime_log::log,
            log_from: runtime_log::severity(),
        };
        let to_message = |error| video::error_message(&error);
        let config = settings.config(runtime).map_err(to_message)?;
        let depth = match settings.is_async {
            true => Some(1),
            false => settings.depth(),
        };
        let config = config.for_depth(depth.unwrap_or(1));
        let estimator = HeadPoseEstimator::load(&config).map_err(to_message)?;
        let runtime = estimator.runtime();
        if let Some(wanted) = &config.runtime.library
            && std::path::absolute(wanted).ok().as_deref() != Some(runtime.library())
        {
            gst::warning!(
                CAT,
                imp = self,
                "onnxruntime-library {} is ignored: this process has loaded {} already",
                wanted.display(),
                runtime.library().display()
            );
        }
        let overlay = Overlay::new()
            .map_err(|error| gst::error_msg!(gst::LibraryError::Init, ("{error}")))?;
        let mut loaded = Loaded::new(&estimator);
        let mut state = State {
            queue: FrameQueue::new(estimator),
            config,
            depth,
            overlay,
            metas: MetaWriter::default(),
            last: LastResult::default(),
            failing: false,
            info: None,
            last_frame: None,
        };
        if settings.is_async {
            let moved = state.queue.move_to_background(&state.config);
            moved.map_err(to_message)?;
            loaded.is_async = true;
        } else if let Some(depth) = depth {
            let deepened = state.queue.deepen(depth, &state.config, false);
            let deepened = deepened.and_then(|()| self.send_when_done(&state.queue));
            deepened.map_err(to_message)?;
            loaded.depth = depth;
        }
        Ok((state, loaded))
    }

    /// Chooses the number of frames in flight unless `pipeline-depth` sets it. Several are faster, which suits files.
    /// A live stream, and an application that pushes frame by frame, want each frame back at once; with
    /// `when-late=hold` there is no time for a second one.
    pub(super) fn choose_depth(&self) {
        let open = |state: &State| state.depth.is_none();
        if !lock(&self.state).as_ref().is_some_and(open) {
            return;
        }
        let Some(upstream) = self.obj().sink_pad().peer() else {
            return;
        };
        let mut latency = gst::query::Latency::new();
        let live = upstream.query(&mut latency) && deadline::answered(&latency).0;
        let mut seeking = gst::query::Seeking::new(gst::Format::Time);
        let seekable = upstream.query(&mut seeking) && seeking.result().0;
        let holds = self.settings().holds();
        let several = std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
        let depth = if !live && seekable && several && !holds {
            // Two at once, and a third that is queued.
            3
        } else {
            1
        };
        // Fast: the loaded models go on, and the new threads load their own.
        let deepened = match &mut *lock(&self.state) {
            Some(state) if open(state) => {
                state.depth = Some(depth);
                let config = state.config.for_depth(depth);
                let deepened = state.queue.deepen(depth, &config, true);
                deepened.and_then(|()| self.send_when_done(&state.queue))
            }
            _ => return,
        };
        if depth == 1 {
            return;
        }
        match deepened {
            Ok(()) => {
                gst::info!(CAT, imp = self, "Frames in flight: {depth}");
                if let Some(loaded) = &mut *lock(&self.loaded) {
                    loaded.depth = depth;
                }
                // Upstream may have negotiated its pool already.
                self.obj().reconfigure_sink();
            }
            Err(error) => {
                gst::warning!(
                    CAT,
                    imp = self,
                    "Continues with one frame at a time: {error}"
                );
            }
        }
    }
}
