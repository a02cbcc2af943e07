package dev.sund.it.cni;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The CNI plugin {@code sund-cni}, built from its source and called as a runtime calls it. */
public final class Shim {
  private final Path program;
  private final Path runDir;

  /**
   * The plugin.
   *
   * @param program as built, or a link to it under another name
   * @param runDir the agent's
   */
  public Shim(Path program, Path runDir) {
    this.program = program;
    this.runDir = runDir;
  }

  /**
   * How a call ended.
   *
   * @param exitCode the process's
   * @param output its standard output
   */
  public record Ended(int exitCode, String output) {}

  /** Builds the plugin as {@code cni/build.sh} does, with further flags for the compiler. */
  public static Path build(Path out, String... flags) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("sund.root"), "cni/build.sh").toString());
    command.add(out.toString());
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("CFLAGS", String.join(" ", flags));
    Process process = builder.start();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException("cni/build.sh: " + text);
    }
    return out;
  }

  /** This plugin under another name, as a link beside it. */
  public Shim as(String name) throws IOException {
    Path link = program.resolveSibling(name);
    if (!Files.exists(link)) {
      Files.createSymbolicLink(link, program);
    }
    return new Shim(link, runDir);
  }

  /** What a runtime sets for one container. */
  public static Map<String, String> environment(
      String command, String containerId, String netns, String interfaceName) {
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("CNI_COMMAND", command);
    environment.put("CNI_CONTAINERID", containerId);
    environment.put("CNI_NETNS", netns);
    environment.put("CNI_IFNAME", interfaceName);
    environment.put("CNI_PATH", "/opt/cni/bin");
    return environment;
  }

  /** Calls it and waits for its end, 90 seconds at most. */
  public Ended call(Map<String, String> environment, String config)
      throws IOException, InterruptedException {
    Process process = start(environment);
    try (var in = process.getOutputStream()) {
      in.write(config.getBytes(StandardCharsets.UTF_8));
    } catch (IOException _) {
      // It ended without reading: what it says tells why.
    }
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(90, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException("the plugin did not end");
    }
    return new Ended(process.exitValue(), output);
  }

  /** Starts it. */
  public Process start(Map<String, String> environment) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(program.toString());
    builder.redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().clear();
    builder.environment().put("SUND_RUN_DIR", runDir.toString());
    builder.environment().putAll(environment);
    return builder.start();
  }
}
