/**
 * The {@code sund} command: one class per subcommand, each with its options, its help and its exit
 * code, and none with knowledge of its own. What a command does lives in the module that it calls.
 *
 * <pre>
 *   ./sund (launcher) -> Main -> Sund -> AgentCommand, LabCommand, VerifyCommand ...
 *                                  |
 *                                  +-- Failures: an exception becomes one line with its remedy
 * </pre>
 */
@NullMarked
package dev.sund.cli;

import org.jspecify.annotations.NullMarked;
