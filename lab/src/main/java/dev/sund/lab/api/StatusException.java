package dev.sund.lab.api;

import dev.sund.kube.tree.Tree;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A request is refused: becomes Kubernetes' {@code Status} object. */
public final class StatusException extends Exception {
  private static final long serialVersionUID = 1;

  private final int code;
  private final String reason;
  private final transient Optional<Tree.Mapping> details;

  StatusException(int code, String reason, String message) {
    this(code, reason, message, Optional.empty());
  }

  private StatusException(int code, String reason, String message, Optional<Tree.Mapping> details) {
    super(message, null, false, false);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  /** An object breaks its schema; each fault is FIELD, a colon and what is wrong. */
  static StatusException invalid(Resource resource, String name, List<String> faults) {
    List<Tree> causes = new ArrayList<>();
    for (String fault : faults) {
      int colon = fault.indexOf(": ");
      causes.add(
          Json.object(
              "reason",
              "FieldValueInvalid",
              "field",
              fault.substring(0, Math.max(0, colon)),
              "message",
              fault.substring(colon < 0 ? 0 : colon + 2)));
    }
    String all = String.join(", ", faults);
    return new StatusException(
        422,
        "Invalid",
        resource.kind()
            + (resource.group().isEmpty() ? "" : "." + resource.group())
            + " \""
            + name
            + "\" is invalid: "
            + (faults.size() == 1 ? all : "[" + all + "]"),
        Optional.of(
            Json.object(
                "name",
                name,
                "group",
                resource.group(),
                "kind",
                resource.kind(),
                "causes",
                Json.list(causes))));
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
    details.ifPresent(each -> status.put("details", each));
    status.put("code", Tree.Scalar.plain(code));
    return Tree.Mapping.of(status);
  }
}
