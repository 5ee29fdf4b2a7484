// SPDX-License-Identifier: MPL-2.0
//! What happens before the first frame: loading the models, and choosing how many frames are in flight.

use std::path::PathBuf;

use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;

use super::engine::Engine;
use super::held::Held;
use super::imp::{CAT, DmHeadPose, State};
use super::interop::Writer;
use super::lateness;
use super::loaded::Loaded;
use super::options::DmHeadPoseWhenLate;
use super::runtime_log;
use crate::estimator::HeadPoseEstimator;
use crate::estimator::runtime::RuntimeOptions;
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
        let settings = lock(&self.settings).clone();
        let runtime = RuntimeOptions {
            library: None,
            beside,
            log: runtime_log::log,
            log_from: runtime_log::severity(),
        };
        let to_message = |error| video::error_message(&error);
        let config = settings.config(runtime).map_err(to_message)?;
        let depth = match settings.detached {
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
            engine: Engine::new(estimator),
            config,
            depth,
            overlay,
            writer: Writer::default(),
            held: Held::default(),
            failing: false,
            info: None,
            last_frame: None,
        };
        if settings.detached {
            state.engine.detach(&state.config).map_err(to_message)?;
            loaded.detached = true;
        } else if let Some(depth) = depth {
            let deepened = state.engine.deepen(depth, &state.config, false);
            let deepened = deepened.and_then(|()| self.send_when_done(&state.engine));
            deepened.map_err(to_message)?;
            loaded.depth = depth;
        }
        Ok((state, loaded))
    }

    /// Chooses how many frames are in flight at once where that was left open: a file can wait, and is done
    /// sooner; a live stream and an application that pushes frame by frame want each frame back at once, and
    /// who would rather hold than be late has no time for a second one.
    pub(super) fn choose_depth(&self) {
        let open = |state: &State| state.depth.is_none();
        if !lock(&self.state).as_ref().is_some_and(open) {
            return;
        }
        let Some(upstream) = self.obj().sink_pad().peer() else {
            return;
        };
        let mut latency = gst::query::Latency::new();
        let live = upstream.query(&mut latency) && lateness::answered(&latency).0;
        let mut seeking = gst::query::Seeking::new(gst::Format::Time);
        let seekable = upstream.query(&mut seeking) && seeking.result().0;
        let holds = lock(&self.settings).when_late == DmHeadPoseWhenLate::Hold;
        let several = std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
        let depth = if !live && seekable && several && !holds {
            // Two at once, and a third that lies ready.
            3
        } else {
            1
        };
        // Not slow: what is loaded goes on, and the new threads load what they need.
        let deepened = match &mut *lock(&self.state) {
            Some(state) if open(state) => {
                state.depth = Some(depth);
                let config = state.config.for_depth(depth);
                let deepened = state.engine.deepen(depth, &config, true);
                deepened.and_then(|()| self.send_when_done(&state.engine))
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
                // Upstream may have asked already how many buffers are kept.
                self.obj().reconfigure_sink();
            }
            Err(error) => {
                gst::warning!(
                    CAT,
                    imp = self,
                    "Goes on one frame after the other: {error}"
                );
            }
        }
    }
}
