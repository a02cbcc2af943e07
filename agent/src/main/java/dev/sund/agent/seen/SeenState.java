package dev.sund.agent.seen;

import dev.sund.agent.local.Json;
import dev.sund.engine.policy.seen.Recorded;
import dev.sund.engine.policy.seen.SeenFlow;
import dev.sund.kube.policy.SeenFile;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The recording on disk: {@code seen.json} in the state directory, for root alone, in the form that
 * {@code --seen} reads. When the agent dies, it is the old or the new one.
 */
final class SeenState {
  private static final String RECORDING = "recording";

  private final Path file;

  /** What was found. */
  record Found(Recorded recorded, boolean recording) {}

  SeenState(Path stateDir) {
    this.file = stateDir.resolve("seen.json");
  }

  Path file() {
    return file;
  }

  boolean exists() {
    return Files.exists(file);
  }

  /**
   * Reads it.
   *
   * @throws IOException when it is of another version, or cannot be read; it stays as it is
   */
  Found read() throws IOException {
    String text = Files.readString(file);
    Recorded recorded = SeenFile.parse(text);
    boolean recording =
        JsonTrees.parse(text) instanceof Tree.Mapping mapping
            && mapping.text(RECORDING).orElse("false").equals("true");
    return new Found(recorded, recording);
  }

  /** Writes it, whole or not at all. */
  void write(Recorded recorded, boolean recording) throws IOException {
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(fresh);
    Files.createFile(
        fresh, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(fresh, Json.write(fields(recorded, recording)));
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  void remove() throws IOException {
    Files.deleteIfExists(file);
  }

  /** A recording as an object of JSON. */
  static Map<String, Object> fields(Recorded recorded, boolean recording) {
    Map<String, Object> fields = head(recorded, recording);
    fields.put("connections", recorded.flows().stream().map(SeenState::flow).toList());
    return fields;
  }

  /** The same without connections. */
  static Map<String, Object> head(Recorded recorded, boolean recording) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("version", SeenFile.VERSION);
    fields.put("node", recorded.node());
    fields.put(RECORDING, recording);
    List<Map<String, Object>> windows = new ArrayList<>();
    recorded
        .windows()
        .forEach(
            one -> windows.add(new TreeMap<>(Map.of("from", one.from(), "until", one.until()))));
    fields.put("windows", windows);
    Map<String, Object> notSeen = new LinkedHashMap<>();
    recorded.losses().forEach((loss, count) -> notSeen.put(loss.label(), count));
    fields.put("notSeen", notSeen);
    fields.put("widened", recorded.widened());
    return fields;
  }

  private static Map<String, Object> flow(SeenFlow flow) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("from", flow.from().toString());
    fields.put("to", flow.to().toString());
    fields.put("protocol", flow.protocol().label());
    fields.put("port", flow.port());
    if (!flow.service().isEmpty()) {
      fields.put("service", flow.service());
    }
    fields.put("out", flow.out());
    fields.put("in", flow.in());
    fields.put("first", Instant.ofEpochSecond(flow.first()).toString());
    fields.put("last", Instant.ofEpochSecond(flow.last()).toString());
    return fields;
  }
}
