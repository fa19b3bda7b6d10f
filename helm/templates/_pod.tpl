{{/* What the pods of all components have in common. Each fits the "restricted" Pod Security Standard. */}}

{{/* A pod's spec, without containers' own parts. Called with (list $ key). */}}
{{- define "platform.podSettings" -}}
{{- $root := index . 0 -}}
{{- $pods := $root.Values.pods -}}
automountServiceAccountToken: false
enableServiceLinks: false  # or a Service's address would come in as a variable such as WEB_PORT
securityContext:
  runAsNonRoot: true
  {{- if $pods.runAsUser }}
  runAsUser: {{ int64 $pods.runAsUser }}
  runAsGroup: {{ int64 $pods.runAsUser }}
  {{- if include "platform.mountsMedia" . }}
  fsGroup: {{ int64 $pods.runAsUser }}  # or the volume would be root's
  fsGroupChangePolicy: OnRootMismatch
  {{- end }}
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $pods.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pods.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pods.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
volumes:
  - name: tmp
    emptyDir:
      sizeLimit: {{ get (index $root.Values (index . 1)).resources.limits "ephemeral-storage" }}
  {{- if include "platform.counts" . }}
  - name: metrics
    emptyDir:
      sizeLimit: 64Mi
  {{- end }}
  {{- if include "platform.mountsMedia" . }}
  - name: media
    persistentVolumeClaim:
      claimName: {{ $root.Values.media.claim }}
  {{- end }}
{{- end }}

{{/* Whether a component counts what it does; empty where it does not. Called with (list $ key). */}}
{{- define "platform.counts" -}}
{{- if and (index . 0).Values.metrics.enabled (has (index . 1) (list "web" "intake" "workerInbox" "workerMedia" "workerMaintenance" "sender")) -}}
yes
{{- end }}
{{- end }}

{{/* Whether a component reaches the media on a volume; empty where it does not. Called with (list $ key). */}}
{{- define "platform.mountsMedia" -}}
{{- if and (index . 0).Values.media.claim (has (index . 1) (list "web" "workerMedia" "workerMaintenance")) -}}
yes
{{- end }}
{{- end }}

{{/* A container's image and rights. Called with the root. */}}
{{- define "platform.imageAndRights" -}}
image: {{ include "platform.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{/* A container, without its command, ports and probes. Called with (list $ key). */}}
{{- define "platform.containerSettings" -}}
{{- $root := index . 0 -}}
{{ include "platform.imageAndRights" $root }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  {{- if include "platform.counts" . }}
  - name: metrics
    mountPath: /run/metrics
  {{- end }}
  {{- if include "platform.mountsMedia" . }}
  - name: media
    mountPath: /var/lib/media
  {{- end }}
resources:
  {{- toYaml (index $root.Values (index . 1)).resources | nindent 2 }}
{{- end }}

{{/* The labels and annotations of a pod. Called with (list $ key). */}}
{{- define "platform.podMetadata" -}}
{{- $root := index . 0 -}}
labels:
  {{- include "platform.componentSelector" . | nindent 2 }}
  app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
  {{- with $root.Values.pods.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  platform/secret-revision: {{ $root.Values.secret.revision | quote }}
  {{- with $root.Values.pods.annotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
