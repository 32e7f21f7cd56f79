//! The tools over a real connection, and the service's good and bad answers from a real socket.
