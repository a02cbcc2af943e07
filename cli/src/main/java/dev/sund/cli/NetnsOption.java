package dev.sund.cli;

import dev.sund.kernel.NetNs;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option {@code --netns}: which network namespace is the node's. */
final class NetnsOption {
  @Option(
      names = "--netns",
      paramLabel = "PATH",
      description = "The network namespace of the node (default: the one it is started in).")
  @Nullable Path netns;

  /** What was said; empty when nothing was. */
  Optional<Path> path() {
    return Optional.ofNullable(netns);
  }

  /** The node's namespace. */
  NetNs namespace() {
    return path().map(NetNs::at).orElseGet(NetNs::ofProcess);
  }
}
