// SPDX-License-Identifier: MPL-2.0
//! Why a buffer was not processed.

use crate::estimator::error::Error;
use crate::video;

#[derive(Debug)]
pub(super) enum Failure {
    /// The process exits under us: nobody is left to tell.
    Exiting,
    Message {
        message: gst::ErrorMessage,
        /// The same in words.
        text: String,
    },
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Exiting => Self::Exiting,
            error => Self::Message {
                message: video::error_message(&error),
                text: error.to_string(),
            },
        }
    }
}

impl From<gst::ErrorMessage> for Failure {
    fn from(message: gst::ErrorMessage) -> Self {
        let text = message.to_string();
        Self::Message { message, text }
    }
}
