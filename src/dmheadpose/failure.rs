// SPDX-License-Identifier: MPL-2.0
//! Why a buffer was not processed.

use crate::estimator::error::Error;
use crate::video;

#[derive(Debug)]
pub(super) enum Failure {
    /// The process exits under us: nobody is left to tell.
    Exiting,
    Message(gst::ErrorMessage),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Exiting => Self::Exiting,
            error => Self::Message(video::error_message(&error)),
        }
    }
}

impl From<gst::ErrorMessage> for Failure {
    fn from(message: gst::ErrorMessage) -> Self {
        Self::Message(message)
    }
}
