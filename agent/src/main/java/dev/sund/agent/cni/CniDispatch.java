package dev.sund.agent.cni;

import dev.sund.agent.cni.CniException.Code;
import dev.sund.agent.local.Answer;
import dev.sund.agent.local.Json;
import dev.sund.kernel.NetNs;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * From a CNI request to its answer: checks what all kinds of network have in common, finds the kind
 * by the plugin's name, and gives result or error the form that was asked for. Many threads may
 * call at once; a runtime that breaks the specification's rules (two calls about one container at
 * once, a GC beside other calls: C5, C10) has its calls served one after the other.
 */
public final class CniDispatch {
  private final Map<String, NetworkKind> kinds = new TreeMap<>();
  private final NetNs node;
  private final ReadWriteLock collecting = new ReentrantReadWriteLock();
  private final ReentrantLock[] attachments = new ReentrantLock[256];

  /**
   * A dispatch.
   *
   * @param node the node's namespace, which no container's may be
   * @param kinds the kinds; no two answer to one name
   */
  public CniDispatch(NetNs node, List<NetworkKind> kinds) {
    this.node = node;
    Arrays.setAll(attachments, _ -> new ReentrantLock());
    for (NetworkKind kind : kinds) {
      for (String type : kind.types()) {
        if (this.kinds.put(type, kind) != null) {
          throw new IllegalArgumentException("two kinds of network answer to " + type);
        }
      }
    }
  }

  /** Serves a request: fields {@code command}, {@code config} and the environment's words. */
  public Answer serve(Map<String, Object> request) throws InterruptedException {
    CniVersion version = CniVersion.NEWEST; // until it is known what was asked for
    try {
      Map<String, Object> config = config(request);
      version = NetworkConfig.version(config);
      return serve(request, config, version);
    } catch (CniException e) {
      return e.answer(version);
    }
  }

  private Answer serve(Map<String, Object> request, Map<String, Object> config, CniVersion version)
      throws CniException, InterruptedException {
    String word = String.valueOf(request.getOrDefault("command", ""));
    CniCommand command =
        CniCommand.tryParse(word)
            .orElseThrow(() ->
                new CniException(
                    Code.INVALID_ENVIRONMENT,
                    "CNI_COMMAND '" + word + "' is not known.",
                    "Use ADD, DEL, CHECK, GC, STATUS or VERSION."));
    if (command == CniCommand.VERSION) {
      return version(config, version);
    }
    CniRequest call = CniRequest.of(command, request, config);
    NetworkKind kind = kind(call);
    return switch (command) {
      case ADD, DEL, CHECK -> {
        Lock beside = collecting.readLock();
        Lock alone = attachments[Math.floorMod(call.key().hashCode(), attachments.length)];
        beside.lockInterruptibly();
        try {
          alone.lockInterruptibly();
          try {
            yield ofOne(request, call, kind);
          } finally {
            alone.unlock();
          }
        } finally {
          beside.unlock();
        }
      }
      case GC -> {
        Lock alone = collecting.writeLock();
        alone.lockInterruptibly();
        try {
          kind.collect(call, call.config().validAttachments());
        } finally {
          alone.unlock();
        }
        yield Answer.DONE;
      }
      case STATUS -> {
        kind.status(call);
        yield Answer.DONE;
      }
      case VERSION -> version(config, version);
    };
  }

  /** A call about one attachment. */
  private Answer ofOne(Map<String, Object> request, CniRequest call, NetworkKind kind)
      throws CniException, InterruptedException {
    return switch (call.command()) {
      case ADD -> {
        checkNamespace(request, call);
        yield Answer.success(kind.add(call).fields(call.config().version()));
      }
      case DEL -> {
        kind.delete(call);
        yield Answer.DONE;
      }
      case CHECK -> {
        if (call.config().previous().isEmpty()) {
          throw new CniException(
              Code.INVALID_CONFIG,
              "CHECK needs prevResult, which is missing.",
              "The runtime passes what ADD printed: look at its log for the call it made.");
        }
        kind.check(call);
        yield Answer.DONE;
      }
      case GC, STATUS, VERSION -> throw new IllegalArgumentException(call.command().name());
    };
  }

  private NetworkKind kind(CniRequest call) throws CniException {
    NetworkKind kind = kinds.get(call.plugin());
    if (kind == null) {
      throw new CniException(
          Code.INVALID_CONFIG,
          "Network " + call.config().name() + ": there is no plugin '" + call.plugin() + "' here.",
          "Set type to one of " + String.join(", ", kinds.keySet()) + ".");
    }
    return kind;
  }

  /** The namespace of an ADD is there and is not the node's own (C9). */
  private void checkNamespace(Map<String, Object> request, CniRequest call) throws CniException {
    NetNs namespace = NetNs.at(Path.of(call.netns()));
    var inode = namespace.inode();
    if (inode.isEmpty()) {
      throw new CniException(
          Code.INVALID_ENVIRONMENT,
          "CNI_NETNS '" + call.netns() + "' does not exist.",
          "The pod's sandbox is gone, or its namespace is not visible to the agent: mount the"
              + " runtime's netns directory into the agent with propagation HostToContainer.");
    }
    String override = String.valueOf(request.getOrDefault("netnsOverride", ""));
    if (inode.equals(node.inode()) && !override.equalsIgnoreCase("true") && !override.equals("1")) {
      throw new CniException(
          Code.INVALID_ENVIRONMENT,
          "CNI_NETNS '" + call.netns() + "' is the node's own namespace.",
          "A pod on the node's network needs no plugin; CNI_NETNS_OVERRIDE=1 allows it.");
    }
  }

  private static Answer version(Map<String, Object> config, CniVersion version) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put(
        "cniVersion", (config.containsKey("cniVersion") ? version : CniVersion.NEWEST).text());
    answer.put("supportedVersions", CniVersion.texts());
    return Answer.success(answer);
  }

  private static Map<String, Object> config(Map<String, Object> request) throws CniException {
    try {
      return Json.child(request, "config");
    } catch (IllegalArgumentException e) {
      throw new CniException(
          Code.UNDECODABLE, e.getMessage() + ".", "Send the plugin's configuration as it is.");
    }
  }
}
