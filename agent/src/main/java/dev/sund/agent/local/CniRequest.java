package dev.sund.agent.local;

import dev.sund.agent.local.CniException.Code;
import dev.sund.engine.cluster.Attachment;
import dev.sund.model.Checks;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A CNI call as it came over the local socket, checked: the environment's words and the network
 * configuration.
 *
 * @param containerId {@code CNI_CONTAINERID}
 * @param interfaceName {@code CNI_IFNAME}
 * @param netns {@code CNI_NETNS}; empty in a DEL whose namespace is gone
 * @param args {@code CNI_ARGS}, by name
 * @param cniVersion the configuration's version, one of {@link #VERSIONS}
 * @param addresses what the runtime wants ({@code runtimeConfig.ips}), at most one a family
 */
public record CniRequest(
    String containerId,
    String interfaceName,
    String netns,
    Map<String, String> args,
    String cniVersion,
    List<Ip> addresses) {

  /** The versions of the specification whose requests are understood, oldest first. */
  public static final List<String> VERSIONS = List.of("0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0");

  private static final Pattern CONTAINER_ID = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.\\-]{0,199}");
  private static final Pattern INTERFACE = Pattern.compile("[^/:\\s\\p{Cntrl}]{1,15}");

  public CniRequest {
    args = Map.copyOf(args);
    addresses = List.copyOf(addresses);
  }

  /**
   * Checks a request's fields.
   *
   * @throws CniException naming field, value and remedy
   */
  static CniRequest of(Map<String, Object> request) throws CniException {
    Map<String, Object> config = section(request, "config");
    String version = version(config);
    String containerId = word(request, "containerId", "CNI_CONTAINERID");
    if (!CONTAINER_ID.matcher(containerId).matches()) {
      throw environment("CNI_CONTAINERID '" + containerId + "' is not a container id.");
    }
    String interfaceName = word(request, "ifname", "CNI_IFNAME");
    if (!INTERFACE.matcher(interfaceName).matches()
        || interfaceName.equals(".")
        || interfaceName.equals("..")
        || interfaceName.equals("lo")) {
      throw environment("CNI_IFNAME '" + interfaceName + "' is not the name of an interface.");
    }
    return new CniRequest(
        containerId,
        interfaceName,
        word(request, "netns", "CNI_NETNS"),
        args(word(request, "args", "CNI_ARGS")),
        version,
        addresses(config));
  }

  /** The attachment's key. */
  public String key() {
    return containerId + "/" + interfaceName;
  }

  /**
   * What an ADD asks for.
   *
   * @throws CniException when pod, namespace or addresses are not said
   */
  public Attachment attachment() throws CniException {
    if (netns.isEmpty()) {
      throw environment("CNI_NETNS is empty.");
    }
    if (addresses.isEmpty()) {
      throw new CniException(
          Code.INVALID_CONFIG,
          "runtimeConfig.ips is missing or empty: pod " + pod() + " has no address.",
          "Set the capability \"ips\" in the plugin's configuration and pass the pod's addresses.");
    }
    return new Attachment(
        containerId,
        interfaceName,
        netns,
        pod(),
        args.getOrDefault("K8S_POD_UID", ""),
        addresses.stream().sorted().toList());
  }

  private PodKey pod() throws CniException {
    String namespace = args.get("K8S_POD_NAMESPACE");
    String name = args.get("K8S_POD_NAME");
    if (namespace == null && name == null) {
      // A runtime without Kubernetes: podman, ctr. The container is its own pod.
      return new PodKey("-", containerId);
    }
    if (namespace == null || name == null || namespace.isEmpty() || name.isEmpty()) {
      throw environment("CNI_ARGS names a pod without K8S_POD_NAMESPACE or K8S_POD_NAME.");
    }
    return new PodKey(namespace, name);
  }

  static String version(Map<String, Object> config) throws CniException {
    Object version = config.getOrDefault("cniVersion", "1.0.0");
    if (version instanceof String text && VERSIONS.contains(text)) {
      return text;
    }
    throw new CniException(
        Code.INCOMPATIBLE_VERSION,
        "cniVersion '" + version + "' is not supported.",
        "Use one of " + String.join(", ", VERSIONS) + ".");
  }

  private static Map<String, Object> section(Map<String, Object> object, String field)
      throws CniException {
    try {
      return Json.child(object, field);
    } catch (IllegalArgumentException e) {
      throw new CniException(
          Code.UNDECODABLE, e.getMessage() + ".", "Send the plugin's configuration as it is.");
    }
  }

  private static String word(Map<String, Object> request, String field, String variable)
      throws CniException {
    Object value = request.getOrDefault(field, "");
    if (value instanceof String text) {
      return text;
    }
    throw environment(variable + " '" + value + "' is not text.");
  }

  private static Map<String, String> args(String text) throws CniException {
    Map<String, String> args = new LinkedHashMap<>();
    for (String pair : text.split(";")) {
      if (pair.isBlank()) {
        continue;
      }
      int equals = pair.indexOf('=');
      if (equals <= 0) {
        throw environment("CNI_ARGS holds '" + pair + "', which is not NAME=VALUE.");
      }
      args.put(pair.substring(0, equals).strip(), pair.substring(equals + 1).strip());
    }
    return args;
  }

  private static List<Ip> addresses(Map<String, Object> config) throws CniException {
    Map<String, Object> runtime = section(config, "runtimeConfig");
    if (!runtime.containsKey("ips")) {
      return List.of();
    }
    List<Ip> addresses = new ArrayList<>();
    try {
      for (String text : Json.texts(runtime, "ips")) {
        Ip ip = address(text);
        Checks.that(
            addresses.stream().noneMatch(other -> other.family() == ip.family()),
            "has two addresses of one family: " + text);
        addresses.add(ip);
      }
    } catch (IllegalArgumentException e) {
      throw new CniException(
          Code.INVALID_CONFIG,
          "runtimeConfig.ips: " + e.getMessage() + ".",
          "Pass at most one IPv4 and one IPv6 address, such as 10.244.1.5 or 10.244.1.5/32.");
    }
    return addresses;
  }

  /** An address, alone or with a length: a pod's link has no subnet, so the length says nothing. */
  private static Ip address(String text) {
    int slash = text.indexOf('/');
    Optional<Ip> ip = Ip.tryParse(slash < 0 ? text : text.substring(0, slash));
    if (ip.isEmpty()) {
      throw new IllegalArgumentException("'" + text + "' is not an address");
    }
    if (slash >= 0) {
      String digits = text.substring(slash + 1);
      Checks.that(
          digits.matches("[0-9]{1,3}") && Integer.parseInt(digits) <= ip.get().family().bits(),
          "'" + text + "' is not an address");
    }
    return ip.get();
  }

  private static CniException environment(String message) {
    return new CniException(
        Code.INVALID_ENVIRONMENT,
        message,
        "This comes from the container runtime: look at its log for the call it made.");
  }
}
