package dev.sund.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The option {@code --state-dir}. */
final class StateDirOption {
  @Option(
      names = "--state-dir",
      paramLabel = "DIR",
      defaultValue = "/var/lib/sund",
      description = {
        "Where attachments and the old values of sysctls are recorded (default: ${DEFAULT-VALUE})."
      })
  Path stateDir = Path.of("/var/lib/sund");
}
