package dev.sund.cli;

import dev.sund.kube.api.ApiServer;
import dev.sund.kube.api.ConfigException;
import dev.sund.kube.api.Kubeconfig;
import dev.sund.model.Condition;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option {@code --kubeconfig} of commands that always ask an API server. */
final class KubeconfigOption {
  @Option(
      names = "--kubeconfig",
      paramLabel = "FILE",
      description = "How to reach the API server (default: KUBECONFIG, then ~/.kube/config).")
  @Nullable Path file;

  /**
   * The server that was named, or that kubectl would ask.
   *
   * @throws CommandFailure when the file cannot be used
   */
  ApiServer server() {
    return read(
        file != null
            ? file
            : Optional.ofNullable(System.getenv("KUBECONFIG"))
                .filter(text -> !text.isEmpty())
                .map(Path::of)
                .orElseGet(() -> Path.of(System.getProperty("user.home"), ".kube", "config")));
  }

  /**
   * The server of a kubeconfig's current context.
   *
   * @throws CommandFailure when the file cannot be used
   */
  static ApiServer read(Path kubeconfig) {
    try {
      return Kubeconfig.read(kubeconfig, List.of(), System.getenv());
    } catch (ConfigException e) {
      Condition why = e.condition();
      throw CommandFailure.badInput(why.object() + ": " + why.text(), why.remedy());
    }
  }

  /** What is said when the server does not answer. */
  static CommandFailure unanswered(ApiServer server, IOException e) {
    return CommandFailure.couldNotRun(
        "The API server " + server + " cannot be read: " + e.getMessage() + ".",
        "Check the kubeconfig and the way to the server.");
  }
}
