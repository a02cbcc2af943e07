package dev.sund.cli;

import dev.sund.agent.cni.CniFiles;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * The options {@code --cni-conf-dir} and {@code --cni-bin-dir}: the container runtime's folders.
 */
final class CniDirs {
  @Option(
      names = "--cni-conf-dir",
      paramLabel = "DIR",
      description = "The runtime's folder of conflists, such as /etc/cni/net.d.")
  @Nullable Path confDir;

  @Option(
      names = "--cni-bin-dir",
      paramLabel = "DIR",
      defaultValue = "/opt/cni/bin",
      description = "The runtime's folder of plugins (default: ${DEFAULT-VALUE}).")
  Path binDir = CniFiles.DEFAULT_BIN_DIR;

  /** What was said; empty when nothing was. */
  Optional<Path> conf() {
    return Optional.ofNullable(confDir);
  }

  /** What was said, or where runtimes have it by themselves. */
  Path confOrUsual() {
    return conf().orElse(CniFiles.DEFAULT_CONF_DIR);
  }
}
