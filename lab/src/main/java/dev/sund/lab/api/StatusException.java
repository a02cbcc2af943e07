package dev.sund.lab.api;

import dev.sund.kube.tree.Tree;
import java.util.LinkedHashMap;
import java.util.Map;

/** A request is refused: becomes Kubernetes' {@code Status} object. */
public final class StatusException extends Exception {
  private static final long serialVersionUID = 1;

  private final int code;
  private final String reason;

  StatusException(int code, String reason, String message) {
    super(message, null, false, false);
    this.code = code;
    this.reason = reason;
  }

  static StatusException notFound(Resource resource, String name) {
    return new StatusException(404, "NotFound", resource.plural() + " \"" + name + "\" not found");
  }

  static StatusException badRequest(String message) {
    return new StatusException(400, "BadRequest", message);
  }

  static StatusException expired(long asked, long oldest) {
    return new StatusException(
        410, "Expired", "too old resource version: " + asked + " (" + oldest + ")");
  }

  /** The HTTP status code. */
  public int code() {
    return code;
  }

  /** Kubernetes' word for it, such as {@code Conflict}. */
  public String reason() {
    return reason;
  }

  Tree.Mapping toTree() {
    Map<String, Tree> status = new LinkedHashMap<>();
    status.put("kind", Tree.Scalar.text("Status"));
    status.put("apiVersion", Tree.Scalar.text("v1"));
    status.put("metadata", Tree.Mapping.of(Map.of()));
    status.put("status", Tree.Scalar.text("Failure"));
    status.put("message", Tree.Scalar.text(String.valueOf(getMessage())));
    status.put("reason", Tree.Scalar.text(reason));
    status.put("code", Tree.Scalar.plain(code));
    return Tree.Mapping.of(status);
  }
}
