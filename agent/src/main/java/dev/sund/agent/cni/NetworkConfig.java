package dev.sund.agent.cni;

import dev.sund.agent.cni.CniException.Code;
import dev.sund.agent.local.Json;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A network configuration as a plugin gets it: the plugin's entry of a conflist, to which the
 * runtime has added the list's version and name, the previous plugin's result and what it knows of
 * the container.
 *
 * @param version {@code cniVersion}
 * @param name {@code name}, the network's; empty in VERSION only
 * @param type {@code type}, the plugin's name
 * @param runtime {@code runtimeConfig}
 * @param previous {@code prevResult}: of the plugin before this one, or, in CHECK and DEL, of ADD
 * @param fields all of it as it came
 */
public record NetworkConfig(
    CniVersion version,
    String name,
    String type,
    RuntimeConfig runtime,
    Optional<CniResult> previous,
    Map<String, Object> fields) {

  /** The keys that every plugin's configuration may have. */
  public static final Set<String> COMMON_KEYS =
      Set.of(
          "cniVersion",
          "name",
          "type",
          "args",
          "capabilities",
          "runtimeConfig",
          "prevResult",
          "cni.dev/valid-attachments",
          "cni.dev/attachments");

  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.\\-]*");

  static NetworkConfig parse(Map<String, Object> fields, CniCommand command) throws CniException {
    CniVersion version = version(fields);
    if (!version.atLeast(command.since())) {
      throw new CniException(
          Code.INCOMPATIBLE_VERSION,
          "cniVersion " + version + " has no " + command + ".",
          "Set cniVersion to " + command.since() + " or newer to use it.");
    }
    String name = text(fields, "name");
    if (name.isEmpty()) {
      throw new CniException(
          Code.INVALID_CONFIG,
          "The network configuration has no name.",
          "Give the conflist the key name.");
    }
    if (!NAME.matcher(name).matches()) {
      throw new CniException(
          Code.INVALID_CONFIG,
          "name '" + name + "' is not the name of a network.",
          "Use letters, digits, '_', '.' and '-', and begin with a letter or digit.");
    }
    return new NetworkConfig(
        version,
        name,
        text(fields, "type"),
        command == CniCommand.DEL
            ? RuntimeConfig.parseLeniently(section(fields, "runtimeConfig"))
            : RuntimeConfig.parse(section(fields, "runtimeConfig")),
        previous(fields, version, command),
        fields);
  }

  NetworkConfig withArgs(Map<String, String> args) throws CniException {
    return new NetworkConfig(version, name, type, runtime.withArgs(args), previous, fields);
  }

  /** The version that the configuration names; without one it is 0.2.0 (C7). */
  static CniVersion version(Map<String, Object> fields) throws CniException {
    Object said = fields.getOrDefault("cniVersion", "");
    if ("".equals(said)) {
      return CniVersion.UNSAID;
    }
    if (said instanceof String text) {
      Optional<CniVersion> version = CniVersion.tryParse(text);
      if (version.isPresent()) {
        return version.get();
      }
    }
    throw new CniException(
        Code.INCOMPATIBLE_VERSION,
        "cniVersion '" + said + "' is not supported.",
        "Use one of " + String.join(", ", CniVersion.texts()) + ".");
  }

  /**
   * Refuses keys that nobody knows: a key spelt wrongly must not be without effect.
   *
   * @param known the kind's own keys; {@link #COMMON_KEYS} are known anyway
   * @throws CniException naming the first of them and what may stand there
   */
  public void refuseUnknownKeys(Set<String> known) throws CniException {
    for (Map.Entry<String, Object> field : fields.entrySet()) {
      if (!COMMON_KEYS.contains(field.getKey()) && !known.contains(field.getKey())) {
        throw new CniException(
            Code.UNSUPPORTED_FIELD,
            "Network "
                + name
                + ", plugin "
                + type
                + ": key '"
                + field.getKey()
                + "' with value "
                + Json.write(field.getValue())
                + " is not known.",
            "Remove it, or mend its name; known are "
                + String.join(", ", known.stream().sorted().toList())
                + ".");
      }
    }
  }

  /**
   * The attachments that still live, of a GC: {@code cni.dev/valid-attachments}, by {@link
   * CniRequest#key}.
   *
   * @throws CniException when the key is missing or not a list of such
   */
  public Set<String> validAttachments() throws CniException {
    String key = "cni.dev/valid-attachments";
    try {
      if (!fields.containsKey(key)) {
        throw new IllegalArgumentException("field " + key + " is missing");
      }
      Set<String> valid = new LinkedHashSet<>();
      for (Map<String, Object> entry : Json.children(fields, key)) {
        valid.add(Json.text(entry, "containerID") + "/" + Json.text(entry, "ifname"));
      }
      return valid;
    } catch (IllegalArgumentException e) {
      throw new CniException(
          Code.INVALID_CONFIG,
          e.getMessage() + ": without it a GC would remove every container's network.",
          "Pass a list of objects with containerID and ifname; it may be empty.");
    }
  }

  private static Optional<CniResult> previous(
      Map<String, Object> fields, CniVersion version, CniCommand command) throws CniException {
    Map<String, Object> result = section(fields, "prevResult");
    if (result.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(CniResult.parse(result, version));
    } catch (IllegalArgumentException e) {
      if (command == CniCommand.DEL) {
        return Optional.empty(); // what cannot be read must not keep a container from going (C2)
      }
      throw new CniException(
          Code.UNDECODABLE,
          "prevResult: " + e.getMessage() + ".",
          "The runtime passes what the plugin before printed: look at that plugin.");
    }
  }

  /** A part of the configuration that must be an object; empty when it is missing. */
  private static Map<String, Object> section(Map<String, Object> fields, String key)
      throws CniException {
    try {
      return Json.child(fields, key);
    } catch (IllegalArgumentException e) {
      throw new CniException(
          Code.UNDECODABLE, e.getMessage() + ".", "Mend the network configuration.");
    }
  }

  private static String text(Map<String, Object> fields, String key) throws CniException {
    Object value = fields.getOrDefault(key, "");
    if (value instanceof String text) {
      return text;
    }
    throw new CniException(
        Code.UNDECODABLE,
        key + " is " + Json.write(value) + ", which is not text.",
        "Mend the network configuration.");
  }

  /** The keys of {@code capabilities} that are true. */
  public List<String> capabilities() {
    return fields.get("capabilities") instanceof Map<?, ?> map
        ? map.entrySet().stream()
            .filter(entry -> Boolean.TRUE.equals(entry.getValue()))
            .map(entry -> String.valueOf(entry.getKey()))
            .toList()
        : List.of();
  }
}
