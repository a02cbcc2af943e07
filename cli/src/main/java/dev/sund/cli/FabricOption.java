package dev.sund.cli;

import dev.sund.engine.FabricSettings;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option {@code --fabric}. */
final class FabricOption {
  @Option(
      names = "--fabric",
      paramLabel = "FILE",
      description = "What is set for the fabric as a whole: VNI, VXLAN port, MTU, addresses.")
  @Nullable Path fabric;

  /**
   * What the file sets; the defaults without one.
   *
   * @param err where findings are printed
   */
  FabricSettings settings(PrintWriter err) {
    return ManifestArguments.fabric(Optional.ofNullable(fabric), err);
  }
}
