package dev.sund.agent.local;

import dev.sund.agent.local.CniException.Code;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.program.LocalPod;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** From a request's bytes to its answer: decodes, checks, calls the agent, encodes. */
final class Requests {
  private static final String DEFAULT_VERSION = "1.0.0";

  private final LocalCalls calls;

  Requests(LocalCalls calls) {
    this.calls = calls;
  }

  /** The answer to a request. Errors are answers too. */
  Answer answer(byte[] text) throws InterruptedException {
    String version = DEFAULT_VERSION;
    try {
      Map<String, Object> request = Json.object(text);
      if (request.get("config") instanceof Map<?, ?> config
          && config.get("cniVersion") instanceof String said
          && CniRequest.VERSIONS.contains(said)) {
        version = said;
      }
      return serve(request, version);
    } catch (Json.MalformedException e) {
      return new CniException(
              Code.UNDECODABLE,
              "The request is " + e.getMessage() + ".",
              "Send one JSON object, then end the writing side.")
          .answer(version);
    } catch (CniException e) {
      return e.answer(version);
    }
  }

  private Answer serve(Map<String, Object> request, String version)
      throws CniException, InterruptedException {
    Object command = request.getOrDefault("command", "");
    return switch (String.valueOf(command)) {
      case "ADD" -> add(CniRequest.of(request));
      case "DEL" -> {
        // A namespace that is gone already is the usual case; so is a second DEL.
        calls.detach(CniRequest.of(request).key());
        yield new Answer(0, "");
      }
      case "CHECK" -> {
        calls.check(CniRequest.of(request).key());
        yield new Answer(0, "");
      }
      case "VERSION" ->
          Answer.success(ordered("cniVersion", version, "supportedVersions", CniRequest.VERSIONS));
      case "STATUS" -> {
        if (!request.containsKey("config")) {
          yield Answer.success(calls.status());
        }
        var reason = calls.notReady();
        if (reason.isPresent()) {
          throw new CniException(Code.NOT_AVAILABLE, reason.get(), "Look at the agent's status.");
        }
        yield new Answer(0, "");
      }
      case "LOG" -> log(request);
      default ->
          throw new CniException(
              Code.INVALID_ENVIRONMENT,
              "CNI_COMMAND '" + command + "' is not known.",
              "Use ADD, DEL, CHECK, VERSION, STATUS or LOG.");
    };
  }

  private Answer add(CniRequest request) throws CniException, InterruptedException {
    Attachment attachment = request.attachment();
    if (!Files.exists(Path.of(attachment.netns()))) {
      throw new CniException(
          Code.INVALID_ENVIRONMENT,
          "CNI_NETNS '" + attachment.netns() + "' does not exist.",
          "The pod's sandbox is gone, or its namespace is not visible to the agent: mount the"
              + " runtime's netns directory into the agent with propagation HostToContainer.");
    }
    var reason = calls.notReady();
    if (reason.isPresent()) {
      throw new CniException(
          Code.TRY_AGAIN_LATER,
          reason.get(),
          "The runtime tries again by itself; if it lasts, look at the agent's /readyz and log.");
    }
    return Answer.success(result(request, attachment, calls.attach(attachment)));
  }

  private Answer log(Map<String, Object> request) throws CniException {
    String level = String.valueOf(request.getOrDefault("level", ""));
    String part = String.valueOf(request.getOrDefault("part", ""));
    if (!calls.logLevel(part, level)) {
      throw new CniException(
          Code.INVALID_ENVIRONMENT,
          "level '" + level + "' is not known.",
          "Use debug, info, warn or error.");
    }
    return Answer.success(ordered("level", level, "part", part));
  }

  /** A CNI result (specification 1.0.0, "Success"): both ends of the link, addresses, routes. */
  private static Map<String, Object> result(
      CniRequest request, Attachment attachment, LocalPod pod) {
    List<Object> ips = new ArrayList<>();
    List<Object> routes = new ArrayList<>();
    for (Ip ip : pod.addresses()) {
      boolean four = ip.family() == Family.V4;
      String gateway = (four ? Marks.GATEWAY_V4 : Marks.GATEWAY_V6).toString();
      Map<String, Object> entry =
          ordered("interface", 1, "address", ip + "/" + ip.family().bits(), "gateway", gateway);
      if (request.cniVersion().startsWith("0.")) {
        entry.put("version", four ? "4" : "6"); // gone from the specification with 1.0.0
      }
      ips.add(entry);
      routes.add(ordered("dst", four ? "0.0.0.0/0" : "::/0", "gw", gateway));
    }
    return ordered(
        "cniVersion",
        request.cniVersion(),
        "interfaces",
        List.of(
            ordered("name", pod.device(), "mac", Marks.GATEWAY_MAC.toString()),
            ordered(
                "name",
                attachment.interfaceName(),
                "mac",
                pod.mac().toString(),
                "sandbox",
                attachment.netns())),
        "ips",
        ips,
        "routes",
        routes,
        "dns",
        Map.of());
  }

  private static Map<String, Object> ordered(Object... keysAndValues) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      map.put((String) keysAndValues[i], keysAndValues[i + 1]);
    }
    return map;
  }
}
