"""Every structure in which infrastructure holds credentials, as files: what stands between `«` and `»` is found.

Nothing else in them is, and the files of the second half hold nothing at all: each is a class of false alarms that was
seen in public repositories. The passwords were made up for this file.
"""

import base64

import pytest

from auditor.detection import rules
from auditor.detection.engine import Engine

ENGINES = {
    "automaton": Engine(rules.load().of_tier(2), fingerprint=lambda value: value),
    "one by one": Engine(rules.load().of_tier(2), fingerprint=lambda value: value, prefilter=False),
    "every line": Engine(rules.load().of_tier(2), fingerprint=lambda value: value, every_line=True),
}


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


KEY = "MIIEowIBAAKCAQEAtvpW2x8hQe3KkfRzYb0sN7cJd1LmGgTqXoUiHnEaVwZyCrBs"
FOUND = {
    "queries.sh": """
        run_query "SELECT 1" "-h $cluster-db -uroot -p«root_secret7»"
        compare "-h 127.0.0.1 -P6032 -u$user -p'«admin_secret3»'" ${pod}
    """,
    "bin/run": """
        #!/bin/bash
        if check; then DB_PASSWORD=«gull-and-tern»; fi
    """,
    "list.yml": """
        environment:
          - MYSQL_DATABASE=shop
          - MYSQL_PASSWORD=«c5nk_iU[sC,F[2ENQT4;,{*R1%.Ngp»
          - CLICKHOUSE_PASSWORD=«HERON»
          - WORDPRESS_PASSWORD=«examplepass»
    """,
    "numbered.properties": """
        db.user.0=nacos
        db.password.0=«gannet»
    """,
    "deployment.yaml": """
        containers:
        - name: web
          env:
          - name: DB_HOST
            value: db
          - name: DB_PASSWORD
            value: «heron-and-quay»
          - name: API_TOKEN
            # turned every year
            value: "«9f-gull-3»"
          - name: "QUOTED_PASSWORD"
            value: '«mast7»'
          - {name: FLOW_PASSWORD, value: «mast8»}
          - name: FROM_SECRET_PASSWORD
            valueFrom: {secretKeyRef: {name: db, key: password}}
          args: ["--db-password", "«mast9»", "--user", "shop"]
          command:
          - server
          - --admin-password
          - «mast10»
          - --admin-user=root
    """,
    "secret.yaml": f"""
        apiVersion: v1
        kind: Secret
        metadata: {{name: db, labels: {{app: shop}}}}
        type: Opaque
        data:
          user: {packed("shop")}
          pass: «{packed("hunter2")}»
          conn: «{packed("postgres://shop:hunter2@db/shop")}»
        stringData:
          pin: «sail-and-oar»
          note: |
            «sail-and-mast»
    """,
    "flow-secret.yaml": f"""
        kind: Secret
        metadata: {{name: db, labels: {{app: shop}}}}
        data: {{a: «{packed("hunter2")}», user: {packed("shop")},
               b: "«{packed("postgres://shop:hunter3@db/shop")}»"}}
        ---
        kind: Secret
        stringData: {{"pin": "«sail, and oar»", x: '«gull-3»', mode: prod}}
    """,
    "kafka.conf": """
        KafkaServer {
          org.apache.kafka.common.security.plain.PlainLoginModule required
          username="admin"
          password="«quay-1»"
          user_admin="«quay-2»"
          user_bob="«quay-3»";
        };
        user_name="bob"
    """,
    "kafka.properties": """
        sasl.jaas.config=x.ScramLoginModule required username="a" password="«mast-1»" user_a="«mast-2»" user_b="${B}";
    """,
    "elastic.env": """
        ELASTIC_PASSWORD=«changeme»
        KIBANA_PASSWORD=${KIBANA_PASSWORD:-«ChangeMe123»}
        ELASTIC_URL=https://elastic:«changeme»@search:9200
        TYK_DB_ADMINSECRET=«12345»
        ROOT_PASSWORD=«root-password-change-me-please»
        CLICKHOUSE_PASSWORD=«default»
        OTHER_PASSWORD=your-changeme
        REDIS_AUTH=${REDIS_AUTH:-«myredissecret»}
        _APP_WEBHOOK_SECRET=«gitea-webhook-secret»
        KEY_STORE_PWD=«examplegatewaykeys»
        EXAMPLE_PASSWORD=«example-password»
        MAX_TOKEN=12345
    """,
    "h2.properties": """
        spring.datasource.password=«sa»
        other.password=«dummycourses»
        third.password=«dummy-password»
    """,
    "rails.env": """
        SECRET_KEY_BASE=«secret»
        GITLAB_SECRETS_DB_KEY_BASE=«secret»
    """,
    "database.pp": """
        class { 'mysql::server':
          root_password => '«mypassword»',
          user_password => Sensitive('«blah7»'),
          other_password => $other_password,
        }
    """,
    "security.yml": """
        password: «changeMeAlso!»
    """,
    "jwk.json": """
        {"kty": "EC", "crv": "P-256", "d": "«870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE»", "x": "MKBCTNIcKUSDii11yS"}
    """,
    "logins.env": """
        NEO4J_AUTH=neo4j/«harbour7»
        RP_BOOTSTRAP_USER="superuser:«secretpassword»"
        ADMIN_USER=shop
        RUN_AS_USER=node:node
    """,
    "jndi.yml": """
        ldap.java.naming.security.credentials: «password»
        oauth_client_password: «my-secret»
        admin_password: "«changeme-P@$$w0rd!»"
        master_password: «password_example»
        command: keytool -srcstorepass «mykeypassword» -noprompt
        bwSecretId: af795aef-1605-4b51-92c0-b40c0130ff5f
    """,
    "createuser.sh": """
        db.createUser({ user: 'admin', pwd: '«admin»', roles: [ { role: "root", db: "admin" } ] });
    """,
    "header.sh": """
        curl --header 'admin-auth: «12345»' --header "x-auth: $TOKEN" http://shop:3000/
    """,
    "users.json": """
        {"pwd-plain": "«newpassword»", "pwd": 1}
    """,
    "rcon.sh": """
        mcrcon -H 127.0.0.1 -P 25575 -p «mast-and-oar» stop
    """,
    "oauth.yaml": """
        client-id: myclient
        client-secret: «mysecret»
        inlineSecret: «mast»
    """,
    "several.env": """
        token=«9f-gull-3»;password=«hunter2»
        password=[redacted];db_password=«hunter3»
        PASSWORD=xxxx;DB_PASSWORD=«hunter4»
    """,
    "vault.env": """
        VAULT_DEV_ROOT_TOKEN_ID=«root»
        VAULT_DEV_ROOT_TOKEN_ID=«password»
    """,
    "clients.sh": """
        mc alias set local http://minio:9000 minio «minio123»
        mc config host add s3 http://minio:9000 "$USER" "$PASSWORD"
        sqlplus sys/«Welcome1»@db as sysdba
        sqlplus / as sysdba
    """,
    "configmap.yaml": """
        kind: ConfigMap
        data:
          SPRING_DATASOURCE_PASSWORD: «hunter2»
          application.properties: |
            spring.datasource.username=shop
            spring.datasource.password=«hunter3»
            spring.mail.password=${MAIL_PASSWORD:«hunter4»}
          url: amqp://shop:«hunter5»@mq:5672/
    """,
    "values.yaml": """
        auth:
          rootPassword: «hunter2»
          existingSecret: db-auth
          existingSecretPasswordKey: password
          replicationPassword: ""
        image: {tag: 1.2.3}
        metrics:
          password:
            value: «hunter3»
        users:
          - {name: a, password: "«hunter4»"}
        passwords:
          - «hunter5»
          - «hunter6»
        password: password_of_it
    """.replace("password: password_of_it", "adminPassword: &admin «hunter7»"),
    "main.tf": """
        variable "db_password" {
          type        = string
          description = "of the database"
          default     = "«hunter2»"
        }
        provider "vsphere" {
          user     = "shop"
          password = "«hunter3»"
        }
        resource "aws_db_instance" "db" {
          password    = "«hunter4»"
          username    = var.user
          password_wo = var.password
        }
        resource "aws_ssm_parameter" "pin" {
          name  = "/shop/pin"
          type  = "SecureString"
          value = "«hunter5»"
        }
        resource "aws_secretsmanager_secret_version" "it" {
          secret_id     = aws_secretsmanager_secret.it.id
          secret_string = "«hunter6»"
        }
        resource "kubernetes_secret" "it" {
          data = {
            pin  = "«hunter7»"
            user = "shop"
          }
        }
        resource "helm_release" "shop" {
          set_sensitive {
            name  = "auth.pin"
            value = "«hunter8»"
          }
        }
        resource "aws_instance" "web" {
          user_data = <<EOF
        export DB_PASSWORD=«hunter9»
        EOF
        }
    """,
    "compose.yaml": """
        services:
          db:
            environment:
              MYSQL_ROOT_PASSWORD: «hunter2»
              MYSQL_PASSWORD: ${DB_PASSWORD:-«hunter3»}
              MYSQL_USER: shop
              MYSQL_ALLOW_EMPTY_PASSWORD: "yes"
              POSTGRES_PASSWORD_FILE: /run/secrets/db
            healthcheck:
              test: ["CMD", "mysqladmin", "ping", "-uroot", "-p«hunter4»"]
          web:
            environment:
              - DATABASE_URL=postgres://shop:«hunter5»@db/shop
              - JWT_SECRET=«secret»
              - SESSION_SECRET=${SESSION_SECRET}
          cache:
            command: redis-server --requirepass «hunter6»
        secrets:
          db-password:
            file: db/password.txt
    """,
    ".env": """
        DB_PASSWORD=«hunter2»
        DB_PASSWORD_2="«hunt er 3»"
        export API_KEY=«9b2e7f4c1d8a4be3a6f05c7712ad90ff»
        TOKEN_TTL=3600
        AWS_SECRET_ACCESS_KEY=«wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzzzQq7aBc»
        EMPTY_PASSWORD=
        REFERENCE_PASSWORD=$OTHER
    """,
    "application.properties": """
        spring.datasource.password = «hunter2»
        ssl.key-store-password=«changeit»
        jwt.secret: «sail-and-oar-1»
        sasl.jaas.config=org.x.PlainLoginModule required username="shop" password="«hunter3»";
        basic.auth.user.info=shop:«hunter4»
        password.encoder=bcrypt
    """,
    "my.cnf": """
        [client]
        user = root
        password = «hunter2»
    """,
    "Dockerfile": """
        FROM scratch
        ENV DB_PASSWORD=«hunter2» DB_USER=shop
        ENV OLD_PASSWORD «hunter3»
        ARG TOKEN="«9b2e7f4c1d8a4be3a6f05c7712ad90ff»"
        RUN curl -u shop:«hunter4» https://registry.internal/x
        RUN echo "root:«hunter5»" | chpasswd
    """,
    "kubeconfig": f"""
        apiVersion: v1
        kind: Config
        users:
        - name: admin
          user:
            client-certificate-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUM=
            client-key-data: «{packed("-----BEGIN RSA PRIVATE KEY-----" + chr(10) + KEY + chr(10))}»
        - name: other
          user: {{username: admin, password: «hunter2»}}
    """,
    "config.json": f"""
        {{"auths": {{"registry.internal": {{"auth": "«{packed("shop:hunter2")}»"}}}}}}
    """,
    ".gitlab-ci.yml": """
        variables:
          DEPLOY_PASSWORD: "«hunter2»"
          IMAGE: $CI_REGISTRY_IMAGE
        deploy:
          script:
            - docker login -u shop -p «hunter3» registry.internal
            - sshpass -p «hunter4» ssh web
            - helm upgrade shop . --set auth.password=«hunter5»
    """,
    ".github/workflows/ci.yml": """
        permissions: {id-token: write}
        env:
          NPM_TOKEN: ${{ secrets.NPM_TOKEN }}
        jobs:
          test:
            steps:
              - run: psql "host=db user=shop password=«hunter2» dbname=shop"
              - uses: docker/login-action@v3
                with: {username: shop, password: "«hunter3»"}
    """,
    "app.conf": """
        jdbc:sqlserver://db:1433;user=sa;password=«Hunter2!»;encrypt=true
        url = jdbc:mysql://db/shop?user=shop&password=«hunter3»&ssl=true
        dsn = shop:«hunter4»@tcp(db:3306)/shop
        mongodb://shop:«hunter5»@db:27017
        requirepass «hunter6»
        stats auth admin:«hunter7»
    """,
    "appsettings.json": """
        {"ConnectionStrings": {"Default": "Server=db;User Id=sa;Password=«Hunter2!»;Encrypt=true"},
         "adminPassword": {"value": "«hunter3»"},
         "Smtp": {"Password" : "«hunter4»", "PasswordHint": "see vault"}}
    """,
    "azuredeploy.parameters.json": """
        {
          "adminPassword": {
            "value": "«hunter2»"
          },
          "adminUsername": {
            "value": "shop"
          }
        }
    """,
    "template.yaml": """
        Parameters:
          DBPassword:
            Type: String
            NoEcho: true
            Default: «hunter2»
        Resources:
          DB:
            Properties:
              MasterUserPassword: !Ref DBPassword
              Environment:
                - Name: APP_PASSWORD
                  Value: «hunter3»
    """,
    "task.json": """
        [{"ParameterKey": "DbPassword", "ParameterValue": "«hunter2»"},
         {"name": "APP_PASSWORD", "value": "«hunter3»"}]
    """,
    "playbook.yml": """
        - mysql_user: name=shop password=«12345» priv=*.*:ALL
        - vars: {ansible_become_pass: «hunter2»}
        - set_fact:
            db_password: "{{ lookup('env', 'DB_PASSWORD') | default('«hunter3»') }}"
            generated_password: "{{ lookup('password', '/dev/null length=32') }}"
    """,
    "templates/db.yaml": """
        password: {{ .Values.auth.password | default "«hunter2»" | quote }}
        other: {{ default "«hunter3»" .Values.auth.password }}
        plain: {{ .Values.auth.password | quote }}
    """,
    "run.sh": """
        export PGPASSWORD='«hunter2»'
        mysql -u root -p'«hunter3»' shop
        mysql -u root -p"$MYSQL_ROOT_PASSWORD" shop
        redis-cli -a «hunter4» ping
        curl -H "X-Vault-Token: «root»" http://vault:8200/
        vault server -dev -dev-root-token-id="«root»"
        openssl rsa -in key -passin pass:«hunter5»
        htpasswd -cb /etc/htpasswd admin «hunter6»
        rabbitmqctl add_user shop «hunter7»
        ldapsearch -D cn=admin -w «hunter8» -b dc=x
        args=( '-s' '-u' 'elastic:«hunter9»' )
        kubectl create secret generic db --from-literal=password=«hunter10»
        keytool -list -keystore x.jks -storepass «hunter11»
    """,
    "users.sql": """
        CREATE USER 'shop'@'%' IDENTIFIED BY '«hunter2»';
        ALTER ROLE shop WITH PASSWORD '«hunter3»';
        CREATE MASTER KEY ENCRYPTION BY PASSWORD = '«hunter4»';
    """,
    "settings.xml": """
        <server><username>shop</username><password>«hunter2»</password></server>
        <entry key="db.password">«hunter3»</entry>
        <property name="password" value="«hunter4»"/>
        <user username="tomcat" password="«tomcat»" roles="x"/>
    """,
    "realm.json": """
        {"clientId": "shop",
         "clientAuthenticatorType": "client-secret",
         "secret": "«shop-client-secret»"}
    """,
    "shop-realm.json": """
        {"users": [
           {"username": "alice", "credentials": [
              {"type": "password",
               "value": "«alice»"}]},
           {"username": "bob", "credentials": [{"type": "password", "value": "«b0b»"}, {"type": "otp", "value": "x"}]}],
         "clients": [
           {"clientId": "shop",
            "enabled": true,
            "secret": "«secret»"}]}
    """,
    "oidc.json": """
        {"resource": "shop",
         "credentials": {
           "secret": "«secret»"
         }}
    """,
    "create.sql": """
        CREATE USER shop IDENTIFIED BY «harbour»;
        GRANT CONNECT, RESOURCE TO shop IDENTIFIED BY «mast_3»;
        alter user sys identified by "«gull#7»" account unlock;
    """,
    "bin/install-shop": """
        #!/usr/bin/env bash
        install --db-url='mysql://shop:«shop»@localhost/shop' \\
          --account-pass=«admin»
        curl -u shop:«MyS3cr37P450r.*-» https://api.internal/
    """,
    "credentials.txt": """
        username=shop
        password=«hunter2»
    """,
    "settings.py": """
        import os
        PASSWORD = "«hunter2»"
        API_KEY = os.environ.get("API_KEY", "«9b2e7f4c1d8a4be3a6f05c7712ad90ff»")
        TOKEN = os.environ["TOKEN"]
        KEY_HEADER = "x-api-key"
        client.connect(user=user, password=password)
        dsn = "Server=db;Password=«hunter3»;"
    """,
    "server.js": """
        const password = process.env.DB_PASSWORD || '«hunter2»';
        db.createUser({user: "shop", pwd: "«hunter3»"});
        const token = this;
        const other = env?.VITE_TOKEN;
    """,
    "Vagrantfile": """
        ansible.raw_arguments = ["-e ansible_become_pass=«vagrant»"]
        d.run "db", args: "-d -e POSTGRES_PASSWORD=«hunter2» -e POSTGRES_USER=shop"
    """,
    "key.pem": f"""
        «-----BEGIN RSA PRIVATE KEY-----
        {KEY}
        {KEY[::-1]}
        -----END RSA PRIVATE KEY-----»
    """,
}

NOTHING = {
    "package.json": '{"dependencies": {"gtoken": "^2.0.0", "jsonwebtoken": ">=9", "x-passwd": "npm:y@1.0.0", "auth-token": "~1"}}',  # noqa: E501 - as it stands in such files
    "package-lock.json": '{"node_modules/registry-auth-token": {"version": "4.2.1", "token": "hunter2"}}',
    "service.json": """
        {"pagination": {"input_token": "NextToken", "output_token": "nextToken"}, "ClientRequestToken": "a-b-c-1",
         "LockToken": "abc-1-def", "idempotency-token": "x1y2z3", "WorkUnitToken": "abcd1", "continuationToken": "q1w2",
         "example": "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111"}
    """,
    "policy.json": '{"Resource": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop-Ab12Cd", "Sid": "token"}',
    "main.tf": """
        password       = random_password.db.result
        admin_password = random_string.password.result
        secret_id      = aws_secretsmanager_secret.it.id
        token          = data.google_client_config.default.access_token
        secret_key     = var.secret_key
        secret_id      = "shop-1"
        kms_master_key_id = "alias/aws/sqs"
        variable "credentials_path" { default = "key.json" }
    """,
    "app.ts": """
        const token = this;
        const creds = ChannelCredentials.Insecure;
        const secret = random_id.x.hex;
        const colours = {"pass": "#9e9", "fail": "#f00"};
        const HEADER_TOKEN = "x-auth-token";
        throw new Error("Unexpected token =", other);
        headers.set("x-atlassian-token", "no-check");
    """,
    "anything": """
        const token = this;
        token = foo.bar.baz
        password=password
        PASS: everything is well
        --- PASS: TestIt (0.02s)
        [repo-creds]: ../docs/setup.md#credentials
    """,
    "values.yaml": """
        auth: {existingSecret: shop-db, passwordKey: password}
        tlsSecret: shop-tls
        secretKey: tls.key
        authKey: auth
        clientSecret: $oidc.shop.clientSecret
        password: your-password
        token: changeme
        apiKey: your-api-key
        rootPassword: "<password>"
        token: REPLACE_ME
        secret: "{{ .Values.secret }}"
        sealed: AgBy3i4OJSWK+PiTySYZZA9rO43cGDEq
        hashed_password: $2y$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234
        client_token: hmac-sha256:a445eb4b5a6909f38698949f90d535b184ccc823c33dec714f9d769eb811d123
        vault.hashicorp.com/agent-inject-secret-db.txt: secret/data/shop/db
        truststore.password: ${file:/mnt/creds.txt:password}
        paste.filter_factory: keystonemiddleware.auth_token:filter_factory
        KAFKA_SSL_KEY_CREDENTIALS: kafka1_sslkey_creds
        LISTENERS: INTERNAL:SASL_PLAINTEXT,TOKEN:SASL_SSL
        uuid_token: 00000000-0000-0000-0000-000000000000
        # rootPassword: hunter2
        ## -----BEGIN RSA PRIVATE KEY-----
        ## name should line up with a tlsSecret set further up in this very file
    """,
    "translations.json": '{"password": "Password", "newPassword": "New password", "token": "Your token"}',
    "secret.yaml": """
        kind: Secret
        stringData:
          sshPrivateKey: |
            -----BEGIN OPENSSH PRIVATE KEY-----
            ...
            -----END OPENSSH PRIVATE KEY-----
          username: shop
          password: "{{ vault }}"
    """,
    "README.md": """
        Start it with `docker run -e POSTGRES_PASSWORD=mysecretpassword postgres`,
        then log in with user/pass: admin/hunter2 and set `password: hunter2` in values.yaml; the URL is postgres://shop:hunter2@db/shop.
    """,
    "lib/login_test.go": 'func TestLogin(t *testing.T) { login("shop", Password: "hunter2") }\nconst token = "token-1"\n',  # noqa: E501 - as above
    "run.sh": """
        read -s PASSWORD
        PASSWORD=$(cat /run/secrets/db)
        sed -i 's/password=.*/password=x/' app.conf
        : "${TOKEN:?TOKEN must be set}"
        case "${PASSWORD:+has-password}" in esac
        echo "Created secret: credentials"
        keytool -storepass:env PASSWORD
        curl -u "$USER:$PASSWORD" https://api.internal/
        docker run -u 1000:1000 x
        printf "secret = %s\\n" "$SECRET"
    """,
    "users.sql": """
        CREATE USER &NAME IDENTIFIED BY &PWD;
        CREATE USER shop IDENTIFIED BY VALUES 'S:1A2B3C';
        -- each user of the shop is identified by a number
        sign_up(p_web_password => request_password, p_new_password    => other_password);
    """,
    "Web.config": """
        <add assembly="System.Web.Mvc, Version=5.2.7.0, Culture=neutral, PublicKeyToken=31BF3856AD364E35" />
        <assemblyIdentity name="Antlr3.Runtime" publicKeyToken="eb42632606e9261f" />
    """,
    "install.rsp": """
        SYSPASSWORD = "###ORACLE_PWD###"
        AdminPassword: '@@FILE:/u01/oracle/adminpass.properties@@'
        ADMIN_PASSWORD = "Variables.shop.admin.password"
    """,
    "setup": """
        #!/bin/sh
        RESET_PASSWORD="resetPassword.sh"
        echo "Made a new key: ${ENCRYPTION_KEY:0:16}..."
        echo "the passphrase : The user does not want to be asked"
    """,
    "pyproject.toml": """
        shop-genpwd = "shop.commands.genpwd:main"
    """,
    "state.sh": """
        rawToken="pass"
        PASSWORD=$(grep "^.*PASSWORD=.*$" compose.yml | sed s~^.*PASSWORD=~~g)
    """,
    "csi.yaml": """
        objects: |
          - objectName: pin
            secretKey: "bar1"
        licenseKey: "license_key"
        client-secret: "\\u0024{SHOP_SECRET}"
        uri: "maven://org.shop:shop-server:@shop.version@"
    """,
    "described-secret.yaml": f"""
        kind: Secret
        stringData:
          host: {packed("vault-default-user.default.svc")}
          provider: rabbitmq
          some-key: 11111111-2222-3333-4444-555555555555
    """,
    "secrets.yml": """
        production: {db_key_base: production}
        secret_key_base: long-and-random-alphanumeric-string
    """,
    "settings-secret.yaml": """
        kind: Secret
        stringData:
          metrics: ENABLED=false
          indexer: ISSUE_INDEXER_TYPE=db
    """,
    "kibana.yml": """
        logging.filter.x-forwarded-access-token: censor
        api_key: watsonx_ai_api_key
        secretKey: caCert
        password: "{{ entry.password | default('not defined') }}"
    """,
    "told.sh": """
        echo please do "oc login -u username -p password" first
        echo "Error: Missing argument for --api-key parameter."
        mysql -e "CREATE USER 'a' IDENTIFIED WITH ed25519 AS 'z0pjExBYbzbupUByZRrQvC6kRCcE8n/tC7kUdUD11fU'"
    """,
    "layout.tsx": """
        { token: "--background", label: "app canvas" },
        console.log(`${right ? "PASS" : "FAIL"} accept`);
        const STORAGE_KEY = "dismissed-callouts";
        input[type="password"]:focus, input[type="email"]:focus { color: red }
    """,
    "flags.go": """
        errors.New("set them, or pass --docker-username/--docker-password flags)")
    """,
    "templates/sync.tpl": """
        self._password = password
    """,
    "job_test.yaml": """
        pattern: "certificatePassword=.{0,4}map"
    """,
    ".env.example": """
        ELASTIC_PASSWORD=changeme
    """,
    "tasks.yml": """
        - mysql_user: {name: shop, update_password: on_create}
        - command: az identity --credential=managedidentity
    """,
    "anaconda.ks": """
        rootpw --lock
        rootpw --iscrypted $6$abcdefgh$ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz
    """,
    "nsswitch.conf": "passwd: files ldap\nshadow: files\n",
    "find.sh": """
        mysql_dir=$(find /var/lib -name 'mysql' -printf '%f' -prune)
        /opt/mysql/peer-list -on-start=/opt/mysql/ready -service="$S" -protocol=tcp
        docker run -uroot -p8080:80 web
    """,
    "locale/lang.pt-br.json": """
        {"password": "Senha", "new_password": "Nova senha", "api_key": "Chave"}
    """,
    "texts.json": """
        {"password": "Lösenord", "app_password": "пароль", "client_secret": "用戶端金鑰"}
    """,
    "postgresql.conf": """
        password_encryption = scram-sha-256
        auth_verbose_passwords = sha1:6
        default_authentication_password = mysql_native_password
    """,
    "docs/llms.txt": """
        Set DB_PASSWORD=harbour and run it.
    """,
    "bin/sync": """
        #!/usr/bin/env perl
        the password on the command line like --password1 does.
        is( 'ok', sign( $x ), 'sign: password1: abcd' ) ;
        password1 => q{},
    """,
    "reload.bat": """
        imapsync --user1 %%G --password1 %%H ^
    """,
    "script.yaml": """
        data:
          create.js: |
            const body = { "token": base64Token, "key": privateKey64 };
            password = response['pair'][0]
    """,
    "plain-secret.yaml": """
        kind: Secret
        stringData:
          APP_ENV: production
          PEER_PROTOCOL: tcp
          DB_DRIVER: pgx
    """,
    "docs.conf": """
        # postgresql://login:password@hostname:port/dbname
        url = postgresql://user:password@host/db
        url = mongodb://DB_USER:DB_PASSWORD@mongodb:27017
        url = "postgresql://%s:%s@%s/db"
    """,
}  # fmt: skip


def dedented(text: str) -> str:
    lines = text.strip("\n").split("\n")
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[margin:] for line in lines) + "\n"


def marked(text: str) -> tuple[bytes, list[str]]:
    """Return the file without its marks, and what stood between them."""
    wanted = [part.partition("»")[0] for part in text.split("«")[1:]]
    return text.replace("«", "").replace("»", "").encode(), wanted


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("file", FOUND)
def test_every_credential_in_a_structure_is_found_and_nothing_else(file: str, engine: str) -> None:
    content, wanted = marked(dedented(FOUND[file]))
    hits = ENGINES[engine].scan(content, path=file)
    assert [content[hit.start : hit.end].decode() for hit in hits] == wanted


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("file", NOTHING)
def test_what_only_looks_like_one_is_passed_over(file: str, engine: str) -> None:
    content = dedented(NOTHING[file]).encode()
    hits = ENGINES[engine].scan(content, path=file)
    assert [(hit.line, content[hit.start : hit.end].decode()) for hit in hits] == []


def test_a_documented_format_is_told_wherever_it_stands() -> None:
    """In prose, in a comment and in a test: a token that a vendor issued is no example."""
    token = "glpat-" + "a1B2" * 5
    for file, text in (("README.md", "use {}"), ("values.yaml", "# token: {}"), ("x_test.go", 'token := "{}"')):
        (hit,) = ENGINES["automaton"].scan(text.format(token).encode(), path=file)
        assert (hit.rule, hit.tier) == ("gitlab-token", 1)


def test_a_weak_value_in_prose_a_comment_or_a_test_is_of_the_third_tier() -> None:
    engine = Engine(rules.load(), fingerprint=lambda value: value)
    for file, text in (
        ("README.md", "    DB_PASSWORD=hunter2\n"),
        ("values.yaml", "# password: hunter2\n"),
        ("x_test.go", 'password := "hunter2"\n'),
    ):
        (hit,) = engine.scan(text.encode(), path=file)
        assert hit.tier == 3, file
        strong = text.replace("hunter2", "q8Zt3LvP0xW7kYb5NcRm2JdH")
        (hit,) = engine.scan(strong.encode(), path=file)
        assert hit.tier == 2, file
