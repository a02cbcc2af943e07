package dev.sund.agent.bridge;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sund.agent.local.Json;
import dev.sund.kernel.NetNs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Debian's build of the reference plugins (package containernetworking-plugins). */
final class ReferencePlugins {
  static final Path DIRECTORY = Path.of("/usr/lib/cni");

  private ReferencePlugins() {}

  static boolean areThere() {
    return Files.isExecutable(DIRECTORY.resolve("bridge"));
  }

  /** Calls a plugin in a node's namespace as a runtime does. */
  static Outcome call(NetNs node, Call call) {
    try {
      ProcessBuilder builder =
          new ProcessBuilder(
              List.of(
                  "nsenter",
                  "--net=" + node.path(),
                  "--",
                  DIRECTORY.resolve(call.plugin()).toString()));
      Map<String, String> environment = builder.environment();
      environment.put("CNI_COMMAND", call.command());
      environment.put("CNI_CONTAINERID", call.containerId());
      environment.put("CNI_NETNS", call.netns());
      environment.put("CNI_IFNAME", call.interfaceName());
      environment.put("CNI_ARGS", call.args());
      environment.put("CNI_PATH", DIRECTORY.toString());
      builder.redirectError(ProcessBuilder.Redirect.DISCARD);
      Process process = builder.start();
      try (var in = process.getOutputStream()) {
        in.write(call.config().getBytes(UTF_8));
      }
      byte[] out = process.getInputStream().readAllBytes();
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError("the reference plugin does not end");
      }
      return new Outcome(
          process.exitValue(), new String(out, UTF_8).isBlank() ? Map.of() : Json.object(out));
    } catch (IOException | Json.MalformedException e) {
      throw new AssertionError("the reference plugin cannot be called", e);
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted", e);
    }
  }
}
